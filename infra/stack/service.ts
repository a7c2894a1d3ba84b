import { Duration, RemovalPolicy, Size, Stack } from 'aws-cdk-lib';
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
import { serviceImage } from './service-image.js';
import { tokenKeys } from './token-keys.js';

export interface ServiceProps {
  settings: StageSettings;
  network: Network;
  balancer: LoadBalancer;
}

/** The tasks: one Node process on one core each. Load is handled by adding tasks. */
export class Service extends Construct {
  readonly tasks: ecs.FargateService;
  readonly group: ec2.SecurityGroup;
  readonly #container: ecs.ContainerDefinition;

  constructor(scope: Construct, id: string, { settings, network, balancer }: ServiceProps) {
    super(scope, id);
    this.group = this.#group(network);
    const definition = new ecs.FargateTaskDefinition(this, 'Task', {
      cpu: 1024,
      memoryLimitMiB: 2048,
      runtimePlatform: {
        cpuArchitecture: ecs.CpuArchitecture.ARM64,
        operatingSystemFamily: ecs.OperatingSystemFamily.LINUX,
      },
    });
    this.#container = this.#addContainer(definition, settings);
    this.tasks = this.#run(definition, network);
    this.tasks.attachToApplicationTargetGroup(balancer.calls);
    this.tasks.attachToApplicationTargetGroup(balancer.polls);
    this.#scale(settings, balancer);
    output(this, 'Cluster', this.tasks.cluster.clusterName);
    output(this, 'Service', this.tasks.serviceName);
    explain([definition], {
      'AwsSolutions-ECS2':
        'Environment variables hold addresses, names and numbers; secrets come from Secrets Manager.',
    });
    explain([definition.obtainExecutionRole()], {
      'AwsSolutions-IAM5[Resource::*]': 'The permission to log in to the registry has no resource.',
    });
  }

  /** Adds environment variables and secrets to the container. */
  configure(variables: Record<string, string>, secrets: Record<string, ecs.Secret> = {}): void {
    for (const [name, value] of Object.entries(variables)) this.#container.addEnvironment(name, value);
    for (const [name, secret] of Object.entries(secrets)) this.#container.addSecret(name, secret);
  }

  #addContainer(definition: ecs.FargateTaskDefinition, settings: StageSettings): ecs.ContainerDefinition {
    const logGroup = new logs.LogGroup(this, 'Log', {
      retention: settings.logDays,
      removalPolicy: settings.isProtected ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    output(this, 'LogGroup', logGroup.logGroupName);
    const { variables, secrets } = tokenKeys(this, settings);
    const container = definition.addContainer('service', {
      image: serviceImage(this, settings.image),
      portMappings: [{ containerPort: facts.PORT }],
      readonlyRootFilesystem: true,
      stopTimeout: facts.STOP_TIMEOUT,
      // ECS ignores the image's HEALTHCHECK.
      healthCheck: {
        command: ['CMD', 'node', '-e', healthCheckScript],
        interval: Duration.seconds(30),
        timeout: Duration.seconds(5),
        retries: 3,
        startPeriod: Duration.seconds(10),
      },
      logging: ecs.LogDrivers.awsLogs({
        logGroup,
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
        AWS_REGION: Stack.of(this).region,
        LOG_LEVEL: settings.logLevel,
        CORS_ORIGINS: settings.corsOrigins.join(','),
        EMBEDDED_METRICS_NAMESPACE: facts.METRICS_NAMESPACE,
        ...variables,
      },
      secrets,
    });
    container.addUlimits({
      name: ecs.UlimitName.NOFILE,
      softLimit: facts.OPEN_FILES,
      hardLimit: facts.OPEN_FILES,
    });
    return container;
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
  #scale({ tasks: { min, max, requestsPerMinute } }: StageSettings, balancer: LoadBalancer): void {
    const scaling = this.tasks.autoScaleTaskCount({ minCapacity: min, maxCapacity: max });
    const cooldowns = { scaleOutCooldown: Duration.seconds(60), scaleInCooldown: Duration.minutes(5) };
    scaling.scaleOnCpuUtilization('Cpu', { targetUtilizationPercent: 60, ...cooldowns });
    // Waiting polls cost memory rather than CPU.
    scaling.scaleOnMemoryUtilization('Memory', { targetUtilizationPercent: 70, ...cooldowns });
    for (const [id, targetGroup] of [
      ['Calls', balancer.calls],
      ['Polls', balancer.polls],
    ] as const) {
      scaling.scaleOnRequestCount(id, { requestsPerTarget: requestsPerMinute, targetGroup, ...cooldowns });
    }
  }
}

const healthCheckScript = `fetch('http://127.0.0.1:${facts.PORT}${facts.HEALTH_PATH}').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))`;
