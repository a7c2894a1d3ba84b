import { Match } from 'aws-cdk-lib/assertions';
import { stageNames } from '../settings/stage-settings.js';
import { resources, templateOf, theContainer, theOnly } from './support/a-stack.js';

test.each(stageNames)('Redis of %s has a replica in the other zone that takes over', (stage) => {
  expect(theOnly(templateOf(stage), 'AWS::ElastiCache::ReplicationGroup')).toMatchObject({
    AutomaticFailoverEnabled: true,
    MultiAZEnabled: true,
    NumCacheClusters: 2,
  });
});

test.each(stageNames)('Redis of %s is encrypted on the way and at rest, and asks for a password', (stage) => {
  const redis = theOnly(templateOf(stage), 'AWS::ElastiCache::ReplicationGroup');
  expect(redis).toMatchObject({
    AtRestEncryptionEnabled: true,
    TransitEncryptionEnabled: true,
    TransitEncryptionMode: 'required',
  });
  expect(JSON.stringify(redis['AuthToken'])).toMatch(/\{\{resolve:secretsmanager:.*RedisPassword/);
});

test('Redis throws nothing out when it is full', () => {
  templateOf('prod').hasResourceProperties('AWS::ElastiCache::ParameterGroup', {
    CacheParameterGroupFamily: 'redis7',
    Properties: { 'maxmemory-policy': 'noeviction' },
  });
});

test('another engine or version of Redis brings its own family of parameters', () => {
  const template = templateOf('dev', { redis: { engine: 'valkey', version: '8.1' } });
  template.hasResourceProperties('AWS::ElastiCache::ParameterGroup', {
    CacheParameterGroupFamily: 'valkey8',
  });
  template.hasResourceProperties('AWS::ElastiCache::ReplicationGroup', {
    Engine: 'valkey',
    EngineVersion: '8.1',
  });
});

test('a copy of Redis is made each day before its maintenance, and in prod one more when it is deleted', () => {
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

test('Redis begins with a copy where a setting names one', () => {
  templateOf('dev', { redis: { restoreFrom: 'automatic.journeys-2026-01-01-01-00' } }).hasResourceProperties(
    'AWS::ElastiCache::ReplicationGroup',
    { SnapshotName: 'automatic.journeys-2026-01-01-01-00' },
  );
  expect(theOnly(templateOf('dev'), 'AWS::ElastiCache::ReplicationGroup')).not.toHaveProperty('SnapshotName');
});

test('prod can not be deleted by mistake: neither the way in, nor secrets, nor the log', () => {
  const template = templateOf('prod');
  template.hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', {
    LoadBalancerAttributes: Match.arrayWith([{ Key: 'deletion_protection.enabled', Value: 'true' }]),
  });
  template.allResources('AWS::SecretsManager::Secret', { DeletionPolicy: 'Retain' });
  template.hasResource('AWS::Logs::LogGroup', { DeletionPolicy: 'Retain' });
});

test('what is kept elsewhere is encrypted too, and taken by TLS alone', () => {
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

test.each(stageNames)('no secret of %s is in the template in plain text', (stage) => {
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

test('the password of Redis has only what ElastiCache takes, and both secrets are long', () => {
  const generated = Object.values(resources(templateOf('prod'), 'AWS::SecretsManager::Secret'));
  for (const { GenerateSecretString } of generated) {
    expect(GenerateSecretString).toMatchObject({ ExcludePunctuation: true, PasswordLength: 64 });
  }
});

test('Postgres is spoken to by TLS, checked by the certificates of its region alone', () => {
  const authoritiesOf = (region: string) => {
    const arn = (text: string) => text.replace('us-east-1', region);
    const template = templateOf('dev', {
      region,
      certificateArn: arn('arn:aws:acm:us-east-1:000000000000:certificate/0'),
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
  // A task definition takes 64 KB with all that is in it.
  expect(first.length).toBeLessThan(20_000);
});

test('with a key set there is no shared secret', () => {
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

test('while the shared secret is replaced, the tasks get the next one as well', () => {
  const { Secrets } = theContainer(templateOf('prod', { tokens: { rotating: true } }));
  const next = Secrets.find(({ Name }) => Name === 'AUTH_JWT_SECRET_NEXT');
  expect(JSON.stringify(next?.ValueFrom)).toContain(':next::');
});
