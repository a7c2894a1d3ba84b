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

/** The tasks: one process each on one core, which is what a process of Node can use; more load is more tasks. */
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
        'Variables hold addresses, names and numbers; whatever is secret comes from Secrets Manager.',
    });
    explain([definition.obtainExecutionRole()], {
      'AwsSolutions-IAM5[Resource::*]': 'To log in to the registry is a right that has no resource.',
    });
  }

  /** Settings of the service, by the names of its environment. */
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
      // ECS does not look at the image's own check.
      healthCheck: {
        command: ['CMD', 'node', '-e', asksHealth],
        interval: Duration.seconds(30),
        timeout: Duration.seconds(5),
        retries: 3,
        startPeriod: Duration.seconds(10),
      },
      logging: ecs.LogDrivers.awsLogs({
        logGroup,
        streamPrefix: 'service',
        // A log that nobody takes must not hold up the requests.
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
    // The registry, Secrets Manager, EventBridge, the log and a key server: public addresses, by TLS alone.
    group.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443), 'AWS and the key server');
    return group;
  }

  #run(taskDefinition: ecs.FargateTaskDefinition, { vpc, serviceSubnets }: Network): ecs.FargateService {
    const cluster = new ecs.Cluster(this, 'Cluster', {
      vpc,
      // Tells how many tasks run and how many should.
      containerInsightsV2: ecs.ContainerInsights.ENABLED,
    });
    return new ecs.FargateService(this, 'Tasks', {
      cluster,
      taskDefinition,
      vpcSubnets: serviceSubnets,
      securityGroups: [this.group],
      assignPublicIp: false,
      // A deployment whose tasks do not become healthy goes back by itself, and never takes a running task away first.
      circuitBreaker: { enable: true, rollback: true },
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      healthCheckGracePeriod: Duration.seconds(60),
      availabilityZoneRebalancing: ecs.AvailabilityZoneRebalancing.ENABLED,
      enableECSManagedTags: true,
      propagateTags: ecs.PropagatedTagSource.SERVICE,
    });
  }

  /** How many tasks run is the scaling's to say: a number here would be set again by each deployment. */
  #scale({ tasks: { min, max, requestsPerMinute } }: StageSettings, balancer: LoadBalancer): void {
    const scaling = this.tasks.autoScaleTaskCount({ minCapacity: min, maxCapacity: max });
    const cooldowns = { scaleOutCooldown: Duration.seconds(60), scaleInCooldown: Duration.minutes(5) };
    scaling.scaleOnCpuUtilization('Cpu', { targetUtilizationPercent: 60, ...cooldowns });
    // Students who wait cost memory rather than CPU.
    scaling.scaleOnMemoryUtilization('Memory', { targetUtilizationPercent: 70, ...cooldowns });
    for (const [id, targetGroup] of [
      ['Calls', balancer.calls],
      ['Polls', balancer.polls],
    ] as const) {
      scaling.scaleOnRequestCount(id, { requestsPerTarget: requestsPerMinute, targetGroup, ...cooldowns });
    }
  }
}

const asksHealth = `fetch('http://127.0.0.1:${facts.PORT}${facts.HEALTH_PATH}').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))`;
