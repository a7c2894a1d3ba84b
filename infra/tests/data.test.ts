import { Match } from 'aws-cdk-lib/assertions';
import { stageNames, type StageName } from '../settings/stage-settings.js';
import { resources, templateOf, theContainer, theOnly } from './support/a-stack.js';

test.each(stageNames)('Redis of %s fails over to a replica in the other zone', (stage) => {
  expect(theOnly(templateOf(stage), 'AWS::ElastiCache::ReplicationGroup')).toMatchObject({
    AutomaticFailoverEnabled: true,
    MultiAZEnabled: true,
    ...(stage === 'cluster' ? { NumNodeGroups: 4, ReplicasPerNodeGroup: 1 } : { NumCacheClusters: 2 }),
  });
});

test.each(stageNames)('Redis of %s is encrypted in transit and at rest and requires a password', (stage) => {
  const redis = theOnly(templateOf(stage), 'AWS::ElastiCache::ReplicationGroup');
  expect(redis).toMatchObject({
    AtRestEncryptionEnabled: true,
    TransitEncryptionEnabled: true,
    TransitEncryptionMode: 'required',
  });
  expect(JSON.stringify(redis['AuthToken'])).toMatch(/\{\{resolve:secretsmanager:.*RedisPassword/);
});

test('Redis evicts nothing when it is full', () => {
  templateOf('prod').hasResourceProperties('AWS::ElastiCache::ParameterGroup', {
    CacheParameterGroupFamily: 'valkey7',
    Properties: { 'maxmemory-policy': 'noeviction' },
  });
});

const parametersOf = (stage: StageName, redis: Record<string, unknown>) =>
  theOnly(templateOf(stage, { redis }), 'AWS::ElastiCache::ParameterGroup')['Properties'];
const environmentOf = (stage: StageName, redis: Record<string, unknown> = {}) =>
  Object.fromEntries(
    theContainer(templateOf(stage, { redis })).Environment.map(({ Name, Value }) => [Name, Value]),
  );

test('several shards are a cluster, which the service is told with the number of partitions', () => {
  const template = templateOf('cluster', { redis: { shards: 5, replicasPerShard: 2 } });
  const cluster = theOnly(template, 'AWS::ElastiCache::ReplicationGroup');
  expect(cluster).toMatchObject({ NumNodeGroups: 5, ReplicasPerNodeGroup: 2 });
  expect(cluster).not.toHaveProperty('NumCacheClusters');
  expect(parametersOf('cluster', { shards: 5 })).toMatchObject({ 'cluster-enabled': 'yes' });
  const { REDIS_URL, ...environment } = environmentOf('cluster', { shards: 5 });
  expect(environment).toMatchObject({ REDIS_CLUSTER: 'true', REDIS_PARTITIONS: '64' });
  expect(JSON.stringify(REDIS_URL)).toMatch(/rediss:.*ConfigurationEndPoint\.Address/);
  template.hasResource('AWS::ElastiCache::ReplicationGroup', { UpdatePolicy: { UseOnlineResharding: true } });
});

test('one shard is no cluster', () => {
  expect(parametersOf('dev', {})).not.toHaveProperty('cluster-enabled');
  expect(environmentOf('dev')).not.toHaveProperty('REDIS_CLUSTER');
});

test('more shards leave the number of partitions as it is', () => {
  expect(environmentOf('cluster', { shards: 6 })).toMatchObject({ REDIS_PARTITIONS: '64' });
});

test('acknowledge replica makes starts and ends wait for a replica and stops a primary that is cut off', () => {
  const redis = { acknowledge: 'replica', replicasPerShard: 2 };
  expect(environmentOf('prod', redis)).toMatchObject({ REDIS_WAIT_REPLICAS: '1' });
  expect(parametersOf('prod', redis)).toMatchObject({
    'min-replicas-to-write': '1',
    'min-replicas-max-lag': '5',
  });
  expect(environmentOf('prod')).not.toHaveProperty('REDIS_WAIT_REPLICAS');
  expect(parametersOf('prod', {})).not.toHaveProperty('min-replicas-to-write');
});

test.each([
  [{}, 'valkey', '7.2'],
  [{ engine: 'redis' }, 'redis', '7.1'],
])('the engine of %j is %s %s', (redis, Engine, EngineVersion) => {
  expect(theOnly(templateOf('dev', { redis }), 'AWS::ElastiCache::ReplicationGroup')).toMatchObject({
    Engine,
    EngineVersion,
  });
});

test('the parameter group family follows the engine and version of Redis', () => {
  const template = templateOf('dev', { redis: { engine: 'valkey', version: '8.1' } });
  template.hasResourceProperties('AWS::ElastiCache::ParameterGroup', {
    CacheParameterGroupFamily: 'valkey8',
  });
  template.hasResourceProperties('AWS::ElastiCache::ReplicationGroup', {
    Engine: 'valkey',
    EngineVersion: '8.1',
  });
});

test('Redis is backed up daily before its maintenance window, and in prod once more when it is deleted', () => {
  templateOf('prod').hasResource('AWS::ElastiCache::ReplicationGroup', {
    Properties: {
      SnapshotRetentionLimit: 7,
      SnapshotWindow: '01:00-02:00',
      PreferredMaintenanceWindow: 'tue:02:30-tue:03:30',
    },
    DeletionPolicy: 'Snapshot',
    UpdateReplacePolicy: 'Snapshot',
  });
});

test('Redis is restored from the configured snapshot', () => {
  templateOf('dev', { redis: { restoreFrom: 'automatic.journeys-2026-01-01-01-00' } }).hasResourceProperties(
    'AWS::ElastiCache::ReplicationGroup',
    { SnapshotName: 'automatic.journeys-2026-01-01-01-00' },
  );
  expect(theOnly(templateOf('dev'), 'AWS::ElastiCache::ReplicationGroup')).not.toHaveProperty('SnapshotName');
});

test('load balancer, secrets and log of prod are protected against deletion', () => {
  const template = templateOf('prod');
  template.hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', {
    LoadBalancerAttributes: Match.arrayWith([{ Key: 'deletion_protection.enabled', Value: 'true' }]),
  });
  template.allResources('AWS::SecretsManager::Secret', { DeletionPolicy: 'Retain' });
  template.hasResource('AWS::Logs::LogGroup', { DeletionPolicy: 'Retain' });
});

test('queues, topics and buckets are encrypted and accept only TLS', () => {
  const template = templateOf('prod');
  template.allResourcesProperties('AWS::SQS::Queue', { SqsManagedSseEnabled: true });
  template.allResourcesProperties('AWS::SNS::Topic', { KmsMasterKeyId: Match.anyValue() });
  template.allResourcesProperties('AWS::KMS::Key', { EnableKeyRotation: true });
  template.allResourcesProperties('AWS::S3::Bucket', {
    BucketEncryption: Match.anyValue(),
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    },
  });
  for (const type of ['AWS::SQS::QueuePolicy', 'AWS::SNS::TopicPolicy', 'AWS::S3::BucketPolicy']) {
    const policies = Object.values(resources(template, type));
    expect(policies.length).toBeGreaterThan(0);
    for (const policy of policies) expect(JSON.stringify(policy)).toContain('"aws:SecureTransport":"false"');
  }
});

const secretNames = /PASSWORD|SECRET|USERNAME|TOKEN/;

test.each(stageNames)('the template of %s contains no secret in plain text', (stage) => {
  const template = templateOf(stage);
  const { Environment, Secrets } = theContainer(template);
  expect(Environment.map(({ Name }) => Name).filter((name) => secretNames.test(name))).toEqual([]);
  expect(Secrets.map(({ Name }) => Name).sort()).toEqual([
    ...['AUTH_JWT_SECRET', 'DATABASE_HOST', 'DATABASE_NAME', 'DATABASE_PASSWORD', 'DATABASE_USERNAME'],
    'REDIS_PASSWORD',
  ]);
  for (const { ValueFrom } of Secrets) expect(JSON.stringify(ValueFrom)).toMatch(/Secret|Password|:secret:/);
  for (const secret of Object.values(resources(template, 'AWS::SecretsManager::Secret'))) {
    expect(secret).not.toHaveProperty('SecretString');
    expect(secret).toHaveProperty('GenerateSecretString');
  }
  expect(JSON.stringify(template.toJSON())).not.toMatch(/-----BEGIN [A-Z ]*PRIVATE KEY/);
});

test('generated secrets are long and contain only characters that ElastiCache accepts', () => {
  const generated = Object.values(resources(templateOf('prod'), 'AWS::SecretsManager::Secret'));
  for (const { GenerateSecretString } of generated) {
    expect(GenerateSecretString).toMatchObject({ ExcludePunctuation: true, PasswordLength: 64 });
  }
});

test('TLS to Postgres is verified with the certificates of its region only', () => {
  const authoritiesOf = (region: string) => {
    const arn = (text: string) => text.replace('us-east-1', region);
    const template = templateOf('dev', {
      region,
      certificateArn: arn('arn:aws:acm:us-east-1:000000000000:certificate/0'),
      canary: undefined,
      database: {
        secretArn: arn('arn:aws:secretsmanager:us-east-1:000000000000:secret:reader-abcdef'),
        ...{ securityGroupId: 'sg-0123456789abcdef0', vpcId: 'vpc-0123456789abcdef0' },
        ...{ vpcCidr: '10.0.0.0/16', routeTableIds: ['rtb-0123456789abcdef0'] },
      },
    });
    return theContainer(template).Environment.find(({ Name }) => Name === 'DATABASE_CA')?.Value as string;
  };
  const [first, second] = [authoritiesOf('us-east-1'), authoritiesOf('eu-central-1')];
  expect(first).toMatch(/^-----BEGIN CERTIFICATE-----/);
  expect(first).not.toBe(second);
  // A task definition is limited to 64 KB.
  expect(first.length).toBeLessThan(20_000);
});

test('a key set replaces the shared secret', () => {
  const tokens = {
    jwksUrl: 'https://auth.example.org/jwks.json',
    issuer: 'https://auth.example.org',
    audience: 'x',
  };
  const { Environment, Secrets } = theContainer(templateOf('prod', { tokens }));
  expect(Environment).toEqual(
    expect.arrayContaining([
      { Name: 'AUTH_JWKS_URL', Value: tokens.jwksUrl },
      { Name: 'AUTH_ISSUER', Value: tokens.issuer },
      { Name: 'AUTH_AUDIENCE', Value: 'x' },
    ]),
  );
  expect(Secrets.map(({ Name }) => Name)).not.toContain('AUTH_JWT_SECRET');
});

test('during a rotation the tasks also get the next shared secret', () => {
  const { Secrets } = theContainer(templateOf('prod', { tokens: { rotating: true } }));
  const next = Secrets.find(({ Name }) => Name === 'AUTH_JWT_SECRET_NEXT');
  expect(JSON.stringify(next?.ValueFrom)).toContain(':next::');
});
