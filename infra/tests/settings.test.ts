import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readStages, SettingsError } from '../settings/read-stages.js';
import { pageTo, required as without } from './support/a-stack.js';

const required = { ...without, pageTo };
const infra = join(import.meta.dirname, '..');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'stages-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function fileOf(content: unknown): string {
  const file = join(folder, 'stages.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

/** The error message for these settings, or '' if they are valid. */
function errorOf(content: unknown, options: { only?: string; isExample?: boolean } = {}): string {
  try {
    readStages(fileOf(content), { isExample: true, ...options });
    return '';
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsError);
    return (error as Error).message;
  }
}

const withChange = (change: Record<string, unknown>) => ({ prod: { ...required, ...change } });
const withDatabase = (change: Record<string, unknown>) =>
  withChange({ database: { ...required.database, ...change } });

test('certificate, database and domain are required, and in prod who is paged', () => {
  expect(errorOf({ dev: without, prod: required })).toBe('');
  for (const stage of ['prod', 'cluster'])
    expect(errorOf({ [stage]: without })).toMatch(new RegExp(`^  ${stage}\\.pageTo must `, 'm'));
});

test.each(['certificateArn', 'database', 'domain'])(
  'a missing %s is reported with what it should be',
  (name) => {
    expect(errorOf(withChange({ [name]: undefined }))).toMatch(new RegExp(`^  prod\\.${name} must be `, 'm'));
  },
);

test.each(Object.keys(required.database))(
  'a missing database.%s is reported with what it should be',
  (name) => {
    expect(errorOf(withDatabase({ [name]: undefined }))).toMatch(
      new RegExp(`^  prod\\.database\\.${name} must be `, 'm'),
    );
  },
);

const invalid: [path: string, settings: unknown][] = [
  ['domain', withChange({ domain: 'https://journeys.example.org' })],
  ['domain', withChange({ domain: 'journeys' })],
  ['certificateArn', withChange({ certificateArn: 'arn:aws:iam::000000000000:server-certificate/x' })],
  [
    'certificateArn',
    withChange({ certificateArn: required.certificateArn.replace('us-east-1', 'eu-west-1') }),
  ],
  ['database', withChange({ database: 'postgres://' })],
  ['database.secretArn', withDatabase({ secretArn: required.database.secretArn.replace('-abcdef', '') })],
  [
    'database.secretArn',
    withDatabase({ secretArn: required.database.secretArn.replace('us-east-1', 'eu-west-1') }),
  ],
  ['database.securityGroupId', withDatabase({ securityGroupId: 'database' })],
  ['database.routeTableIds', withDatabase({ routeTableIds: [] })],
  ['database.routeTableIds.0', withDatabase({ routeTableIds: ['main'] })],
  ['database.port', withDatabase({ port: 0 })],
  ['hostedZoneId', withChange({ hostedZoneId: 'example.org' })],
  ['region', withChange({ region: 'Frankfurt' })],
  ['network.cidr', withChange({ network: { cidr: '10.0.0.0/16' } })],
  ['network.cidr', withChange({ network: { cidr: '10.42.0.0/20' } })],
  ['network.natGateways', withChange({ network: { natGateways: 0 } })],
  ['image.tag', withChange({ image: { repository: 'admin-service' } })],
  ['tasks.min', withChange({ tasks: { min: 1 } })],
  ['tasks.max', withChange({ tasks: { min: 5, max: 4 } })],
  ['redis.engine', withChange({ redis: { engine: 'memcached' } })],
  ['redis.nodeType', withChange({ redis: { nodeType: 'm7g.large' } })],
  ['redis.replicasPerShard', withChange({ redis: { replicasPerShard: 0 } })],
  ['redis.shards', withChange({ redis: { shards: 0 } })],
  ['redis.version', withChange({ redis: { engine: 'valkey', version: '7.1' } })],
  ['redis.version', withChange({ redis: { engine: 'redis', version: '7.2' } })],
  ['redis.partitions', withChange({ redis: { shards: 7 } })],
  ['redis.acknowledge', withChange({ redis: { acknowledge: 'both' } })],
  ['redis.acknowledge', withChange({ redis: { acknowledge: 'replica', shards: 2 } })],
  ['redis.replicasPerShard', withChange({ redis: { acknowledge: 'replica' } })],
  ['tokens.jwksUrl', withChange({ tokens: { jwksUrl: 'http://auth.example.org/jwks.json' } })],
  ['tokens.rotating', withChange({ tokens: { jwksUrl: 'https://auth.example.org/j', rotating: true } })],
  ['corsOrigins.0', withChange({ corsOrigins: ['https://app.example.org/'] })],
  ['logLevel', withChange({ logLevel: 'loud' })],
  ['notifiedEvents.0', withChange({ notifiedEvents: ['TrainerLost'] })],
  ['pageTo', withChange({ pageTo: [] })],
  ['pageTo.0', withChange({ pageTo: ['on-call'] })],
  ['ticketTo.0', withChange({ ticketTo: ['http://pager.example.org'] })],
  ['logDays', withChange({ logDays: 31 })],
];

test.each(invalid)('an invalid %s is reported with what it should be', (path, settings) => {
  expect(errorOf(settings)).toMatch(new RegExp(`^  prod\\.${path.replaceAll('.', '\\.')} must `, 'm'));
});

test('an unknown setting is reported', () => {
  expect(errorOf(withChange({ databse: {} }))).toContain('prod.databse is not a known setting');
  expect(errorOf({ ...withChange({}), staging: required })).toContain('staging is not a known setting');
});

test('one message reports everything that is missing or invalid in all stages', () => {
  const message = errorOf({ dev: { tasks: { min: 1 } }, prod: { ...required, logDays: 0 } });
  for (const path of ['dev.domain', 'dev.certificateArn', 'dev.database', 'dev.tasks.min', 'prod.logDays']) {
    expect(message.split('\n').filter((line) => line.trim().startsWith(`${path} must`))).toHaveLength(1);
  }
});

test('invalid settings of another stage do not block a deployment', () => {
  expect(errorOf({ dev: required, prod: {} }, { only: 'dev' })).toBe('');
  expect(errorOf({ dev: required }, { only: 'prod' })).toMatch(/no settings for the stage prod/);
  expect(errorOf({ dev: required }, { only: 'test' })).toMatch(
    /Unknown stage test. Stages: dev, prod, cluster/,
  );
});

test.each([
  ['{', /Cannot read/],
  ['{}', /must be an object of stages/],
  ['[]', /must be an object of stages/],
])('a file containing %s is rejected', (content, message) => {
  expect(errorOf(content)).toMatch(message);
});

test('placeholder values of the example are reported, except for the example itself', () => {
  const example = JSON.parse(readFileSync(join(infra, 'stages.example.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  expect(errorOf(example)).toBe('');
  const message = errorOf(example, { only: 'dev', isExample: false });
  for (const path of [
    'domain',
    'certificateArn',
    'database.secretArn',
    'database.vpcId',
    'database.routeTableIds.0',
  ]) {
    expect(message).toMatch(new RegExp(`dev\\.${path.replaceAll('.', '\\.')} must be your own value`));
  }
});

test('a synth with invalid settings prints only the message and exits with code 1', () => {
  const settings = fileOf({ prod: { domain: 'journeys.test.invalid' } });
  const context = JSON.stringify({ settings });
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'app.ts'], {
    cwd: infra,
    env: { ...process.env, CDK_CONTEXT_JSON: context },
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stderr.trim().split('\n')).toEqual([
    expect.stringContaining('Missing or invalid settings'),
    expect.stringContaining('prod.certificateArn must be'),
    expect.stringContaining('prod.database must be'),
  ]);
});

test('invalid settings of firewall and canary are reported with what they should be', () => {
  const message = errorOf(
    withChange({
      firewall: { isEnabled: 'yes', requestsPerAddress: 1 },
      canary: { sessionId: 'x', tokensSecretArn: 'secret' },
    }),
  );
  expect(message).toMatch(/^  prod\.firewall\.isEnabled must be true or false$/m);
  expect(message).toMatch(/^  prod\.firewall\.requestsPerAddress must be a whole number from 1000 /m);
  expect(message).toMatch(/^  prod\.canary\.sessionId must be the id of a session/m);
  expect(message).toMatch(/^  prod\.canary\.tokensSecretArn must be the complete ARN of a secret/m);
});

test('a firewall costs by the request, so that the cluster has one only if it asks for it', () => {
  const read = (stage: string) => readStages(fileOf({ [stage]: required }), { isExample: true });
  expect(read('prod').prod?.firewall.isEnabled).toBe(true);
  expect(read('cluster').cluster?.firewall.isEnabled).toBe(false);
});
