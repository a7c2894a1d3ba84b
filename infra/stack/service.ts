import { Duration, RemovalPolicy, Size } from 'aws-cdk-lib';
import { AdjustmentType } from 'aws-cdk-lib/aws-applicationautoscaling';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { StageSettings } from '../settings/stage-settings.js';
import { output } from './output.js';
import { explain } from './explained-findings.js';
import type { LoadBalancer } from './load-balancer.js';
import type { Network } from './network.js';
import * as facts from './service-facts.js';
import { serviceImage, type ServiceImage } from './service-image.js';

export interface ServiceProps {
  settings: StageSettings;
  network: Network;
  balancer: LoadBalancer;
}

/** The tasks: one Node process on one core each. Load is handled by adding tasks. */
export class Service extends Construct {
  readonly tasks: ecs.FargateService;
  readonly group: ec2.SecurityGroup;
  readonly image: ServiceImage;
  readonly log: logs.LogGroup;
  readonly #containers: ecs.ContainerDefinition[] = [];

  constructor(scope: Construct, id: string, { settings, network, balancer }: ServiceProps) {
    super(scope, id);
    this.group = this.#group(network);
    this.image = serviceImage(this, settings.image);
    this.log = this.#logGroup(settings);
    const definition = taskDefinition(this, 'Task', { cpu: 1024, memoryLimitMiB: 2048 });
    // Otherwise CloudFormation deregisters the previous one, and nothing is left to roll back to.
    definition.applyRemovalPolicy(RemovalPolicy.RETAIN);
    this.#addContainer(definition, settings);
    this.tasks = this.#run(definition, network);
    this.tasks.attachToApplicationTargetGroup(balancer.calls);
    this.tasks.attachToApplicationTargetGroup(balancer.polls);
    this.#scale(settings);
    output(this, 'Cluster', this.tasks.cluster.clusterName);
    output(this, 'Service', this.tasks.serviceName);
  }

  /** Adds environment variables and secrets to the containers. */
  configure(variables: Record<string, string>, secrets: Record<string, ecs.Secret> = {}): void {
    for (const container of this.#containers) {
      for (const [name, value] of Object.entries(variables)) container.addEnvironment(name, value);
      for (const [name, secret] of Object.entries(secrets)) container.addSecret(name, secret);
    }
  }

  /** Gives another container of the same image the settings that are configured from here on. */
  configureToo(container: ecs.ContainerDefinition): void {
    this.#containers.push(container);
  }

  #logGroup({ logDays, isProtected }: StageSettings): logs.LogGroup {
    const logGroup = new logs.LogGroup(this, 'Log', {
      retention: logDays,
      removalPolicy: isProtected ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    output(this, 'LogGroup', logGroup.logGroupName);
    return logGroup;
  }

  /**
   * Without a health check of its own: it would ask the same question as the load balancer's, from inside a container that
   * is short of CPU. ECS ignores the image's HEALTHCHECK.
   */
  #addContainer(definition: ecs.FargateTaskDefinition, settings: StageSettings): void {
    const container = definition.addContainer('service', {
      image: this.image.image,
      dockerLabels: { [facts.REVISION_LABEL]: this.image.revision },
      portMappings: [{ containerPort: facts.PORT }],
      readonlyRootFilesystem: true,
      stopTimeout: facts.STOP_TIMEOUT,
      logging: ecs.LogDrivers.awsLogs({
        logGroup: this.log,
        streamPrefix: 'service',
        // Blocked log delivery must not block requests.
        mode: ecs.AwsLogDriverMode.NON_BLOCKING,
        maxBufferSize: Size.mebibytes(25),
      }),
      environment: {
        PORT: String(facts.PORT),
        MANAGEMENT_PORT: String(facts.MANAGEMENT_PORT),
        TRUST_PROXY: '1',
        SHUTDOWN_DELAY_MS: String(facts.SHUTDOWN_DELAY.toMilliseconds()),
        CORS_ORIGINS: settings.corsOrigins.join(','),
        EMBEDDED_METRICS_NAMESPACE: facts.METRICS_NAMESPACE,
      },
    });
    container.addUlimits({
      name: ecs.UlimitName.NOFILE,
      softLimit: facts.OPEN_FILES,
      hardLimit: facts.OPEN_FILES,
    });
    this.#containers.push(container);
  }

  #group({ vpc }: Network): ec2.SecurityGroup {
    const group = new ec2.SecurityGroup(this, 'Group', {
      vpc,
      description: 'admin-service tasks',
      allowAllOutbound: false,
    });
    // Registry, Secrets Manager, EventBridge, CloudWatch Logs and the key server have public addresses.
    group.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443), 'AWS and the key server');
    return group;
  }

  #run(taskDefinition: ecs.FargateTaskDefinition, { vpc, serviceSubnets }: Network): ecs.FargateService {
    const cluster = new ecs.Cluster(this, 'Cluster', {
      vpc,
      // Provides the running and desired task counts.
      containerInsightsV2: ecs.ContainerInsights.ENABLED,
    });
    return new ecs.FargateService(this, 'Tasks', {
      cluster,
      taskDefinition,
      vpcSubnets: serviceSubnets,
      securityGroups: [this.group],
      assignPublicIp: false,
      circuitBreaker: { enable: true, rollback: true },
      // No running task is stopped before its replacement is healthy.
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      healthCheckGracePeriod: Duration.seconds(60),
      availabilityZoneRebalancing: ecs.AvailabilityZoneRebalancing.ENABLED,
      enableECSManagedTags: true,
      propagateTags: ecs.PropagatedTagSource.SERVICE,
    });
  }

  /** The service has no desired count: every deployment would reset what scaling has set. */
  #scale({ tasks: { min, max } }: StageSettings): void {
    const scaling = this.tasks.autoScaleTaskCount({ minCapacity: min, maxCapacity: max });
    scaling.scaleOnCpuUtilization('Cpu', {
      targetUtilizationPercent: 60,
      scaleOutCooldown: Duration.seconds(60),
      scaleInCooldown: Duration.minutes(5),
    });
    // A busy task slows its phones down, so CPU stays near the target and does not show how much load is waiting.
    scaling.scaleOnMetric('Stretch', {
      metric: new Metric({
        namespace: facts.METRICS_NAMESPACE,
        metricName: 'update_interval_stretch',
        statistic: 'Maximum',
        period: Duration.minutes(1),
      }),
      adjustmentType: AdjustmentType.PERCENT_CHANGE_IN_CAPACITY,
      minAdjustmentMagnitude: 1,
      cooldown: Duration.minutes(2),
      scalingSteps: [
        { upper: 1.1, change: 0 },
        { lower: 1.1, change: 25 },
        { lower: 1.5, change: 50 },
        { lower: 2, change: 100 },
      ],
    });
  }
}

/** A definition for Linux on ARM64. */
export function taskDefinition(
  scope: Construct,
  id: string,
  size: { cpu: number; memoryLimitMiB: number },
): ecs.FargateTaskDefinition {
  const definition = new ecs.FargateTaskDefinition(scope, id, {
    ...size,
    runtimePlatform: {
      cpuArchitecture: ecs.CpuArchitecture.ARM64,
      operatingSystemFamily: ecs.OperatingSystemFamily.LINUX,
    },
  });
  explain([definition], {
    'AwsSolutions-ECS2':
      'Environment variables hold addresses, names and numbers; secrets come from Secrets Manager.',
  });
  explain([definition.obtainExecutionRole()], {
    'AwsSolutions-IAM5[Resource::*]': 'The permission to log in to the registry has no resource.',
  });
  return definition;
}
