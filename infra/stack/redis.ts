import { Fn, RemovalPolicy } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as elasticache from 'aws-cdk-lib/aws-elasticache';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { engineVersions } from '../settings/redis-settings.js';
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

/** A primary and its replicas in both zones, or a cluster of several, with the journeys and the unpublished events. */
export class Redis extends Construct {
  /** Primary and replicas of each shard, for their metrics. */
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
    this.nodeIds = nodeNames(settings.redis).map((name) => Fn.join('-', [cluster.ref, name]));
    service.configure(addressOf(cluster, settings.redis), {
      REDIS_PASSWORD: ecs.Secret.fromSecretsManager(password),
    });
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
    const { engine, version = engineVersions[engine].standard } = redis;
    const parameters = new elasticache.CfnParameterGroup(this, 'Parameters', {
      cacheParameterGroupFamily: `${engine}${version.split('.')[0] ?? ''}`,
      description: 'admin-service Redis',
      properties: parametersOf(redis),
    });
    const cluster = new elasticache.CfnReplicationGroup(this, 'Cluster', {
      replicationGroupDescription: 'admin-service: journeys and events to publish',
      engine,
      engineVersion: version,
      cacheNodeType: redis.nodeType,
      ...(isCluster(redis)
        ? { numNodeGroups: redis.shards, replicasPerNodeGroup: redis.replicasPerShard }
        : { numCacheClusters: 1 + redis.replicasPerShard }),
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
    // Without it, another number of shards replaces the cluster.
    if (isCluster(redis)) cluster.cfnOptions.updatePolicy = { useOnlineResharding: true };
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

type RedisSettings = StageSettings['redis'];

function isCluster({ shards }: RedisSettings): boolean {
  return shards > 1;
}

function parametersOf(redis: RedisSettings): Record<string, string> {
  return {
    // Evicting would lose journeys and unpublished events; a full Redis must reject writes instead.
    'maxmemory-policy': 'noeviction',
    ...(isCluster(redis) && { 'cluster-enabled': 'yes' }),
    // A primary that is cut off stops writing before its replica takes over.
    ...(redis.acknowledge === 'replica' && { 'min-replicas-to-write': '1', 'min-replicas-max-lag': '5' }),
  };
}

function addressOf(cluster: elasticache.CfnReplicationGroup, redis: RedisSettings): Record<string, string> {
  const url = (host: string) => ({ REDIS_URL: `rediss://${host}:${PORT}` });
  if (isCluster(redis))
    return {
      ...url(cluster.attrConfigurationEndPointAddress),
      REDIS_CLUSTER: 'true',
      REDIS_PARTITIONS: String(redis.partitions),
    };
  return {
    ...url(cluster.attrPrimaryEndPointAddress),
    ...(redis.acknowledge === 'replica' && { REDIS_WAIT_REPLICAS: '1' }),
  };
}

/** As ElastiCache numbers them after the name of the replication group. */
function nodeNames(redis: RedisSettings): string[] {
  const numbers = (count: number, digits: number) =>
    Array.from({ length: count }, (_none, index) => String(index + 1).padStart(digits, '0'));
  const nodes = numbers(1 + redis.replicasPerShard, 3);
  return isCluster(redis)
    ? numbers(redis.shards, 4).flatMap((shard) => nodes.map((node) => `${shard}-${node}`))
    : nodes;
}
