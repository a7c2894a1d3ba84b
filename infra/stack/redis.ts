import { Fn, RemovalPolicy } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as elasticache from 'aws-cdk-lib/aws-elasticache';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { StageSettings } from '../settings/stage-settings.js';
import { output } from './output.js';
import { explain } from './explained-findings.js';
import type { Network } from './network.js';
import type { Service } from './service.js';

const PORT = 6380;

export interface RedisProps {
  settings: StageSettings;
  network: Network;
  service: Service;
}

/** A primary and its replicas in both zones, with the journeys and the unpublished events. */
export class Redis extends Construct {
  /** Primary and replicas, for their metrics. */
  readonly nodeIds: string[];

  constructor(scope: Construct, id: string, { settings, network, service }: RedisProps) {
    super(scope, id);
    const group = new ec2.SecurityGroup(this, 'Group', {
      vpc: network.vpc,
      description: 'admin-service Redis',
      allowAllOutbound: false,
    });
    service.tasks.connections.allowTo(
      new ec2.Connections({ securityGroups: [group] }),
      ec2.Port.tcp(PORT),
      'Redis by TLS',
    );
    const password = this.#password(settings.isProtected);
    const cluster = this.#cluster(settings, network, { group, password });
    const { replicas } = settings.redis;
    this.nodeIds = Array.from({ length: 1 + replicas }, (_none, index) =>
      Fn.join('-', [cluster.ref, String(index + 1).padStart(3, '0')]),
    );
    service.configure(
      { REDIS_URL: `rediss://${cluster.attrPrimaryEndPointAddress}:${PORT}` },
      { REDIS_PASSWORD: ecs.Secret.fromSecretsManager(password) },
    );
    output(this, 'RedisId', cluster.ref);
    output(this, 'RedisPasswordArn', password.secretArn);
  }

  /** ElastiCache's auth token: 16 to 128 characters, without most punctuation. */
  #password(isProtected: boolean): Secret {
    const secret = new Secret(this, 'Password', {
      description: "admin-service: Redis' auth token",
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      removalPolicy: isProtected ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    explain([secret], {
      'AwsSolutions-SMG4':
        'ElastiCache needs the new token before the tasks do, so rotation is a manual procedure (README).',
    });
    return secret;
  }

  #cluster(
    { redis, isProtected, logDays }: StageSettings,
    network: Network,
    { group, password }: { group: ec2.SecurityGroup; password: Secret },
  ): elasticache.CfnReplicationGroup {
    const subnets = new elasticache.CfnSubnetGroup(this, 'Subnets', {
      description: 'admin-service Redis',
      subnetIds: network.vpc.selectSubnets(network.redisSubnets).subnetIds,
    });
    const parameters = new elasticache.CfnParameterGroup(this, 'Parameters', {
      cacheParameterGroupFamily: `${redis.engine}${redis.version.split('.')[0] ?? ''}`,
      description: 'admin-service Redis',
      // Evicting would lose journeys and unpublished events; a full Redis must reject writes instead.
      properties: { 'maxmemory-policy': 'noeviction' },
    });
    const cluster = new elasticache.CfnReplicationGroup(this, 'Cluster', {
      replicationGroupDescription: 'admin-service: journeys and events to publish',
      engine: redis.engine,
      engineVersion: redis.version,
      cacheNodeType: redis.nodeType,
      numCacheClusters: 1 + redis.replicas,
      automaticFailoverEnabled: true,
      multiAzEnabled: true,
      port: PORT,
      cacheSubnetGroupName: subnets.ref,
      cacheParameterGroupName: parameters.ref,
      securityGroupIds: [group.securityGroupId],
      atRestEncryptionEnabled: true,
      transitEncryptionEnabled: true,
      transitEncryptionMode: 'required',
      // A dynamic reference: the template does not contain the secret.
      authToken: password.secretValue.unsafeUnwrap(),
      // The snapshot is taken before the maintenance window. Times are UTC.
      snapshotRetentionLimit: redis.snapshotDays,
      snapshotWindow: '01:00-02:00',
      preferredMaintenanceWindow: 'tue:02:30-tue:03:30',
      autoMinorVersionUpgrade: true,
      ...(redis.restoreFrom !== undefined && { snapshotName: redis.restoreFrom }),
      logDeliveryConfigurations: [this.#slowLog(logDays)],
    });
    cluster.applyRemovalPolicy(isProtected ? RemovalPolicy.SNAPSHOT : RemovalPolicy.DESTROY);
    return cluster;
  }

  #slowLog(
    days: logs.RetentionDays,
  ): elasticache.CfnReplicationGroup.LogDeliveryConfigurationRequestProperty {
    const { logGroupName: logGroup } = new logs.LogGroup(this, 'SlowLog', {
      retention: days,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    return {
      logType: 'slow-log',
      logFormat: 'json',
      destinationType: 'cloudwatch-logs',
      destinationDetails: { cloudWatchLogsDetails: { logGroup } },
    };
  }
}
