import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readStages, SettingsError } from '../settings/read-stages.js';
import { needed } from './support/a-stack.js';

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

/** What is said of these settings; '' where they are taken. */
function complaint(content: unknown, options: { only?: string; isExample?: boolean } = {}): string {
  try {
    readStages(fileOf(content), { isExample: true, ...options });
    return '';
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsError);
    return (error as Error).message;
  }
}

const withChange = (change: Record<string, unknown>) => ({ prod: { ...needed, ...change } });
const withDatabase = (change: Record<string, unknown>) =>
  withChange({ database: { ...needed.database, ...change } });

test('certificate, database and domain are enough', () => {
  expect(complaint({ dev: needed, prod: needed })).toBe('');
});

test.each(['certificateArn', 'database', 'domain'])(
  'without %s it is named, with what it should be',
  (name) => {
    expect(complaint(withChange({ [name]: undefined }))).toMatch(
      new RegExp(`^  prod\\.${name} must be `, 'm'),
    );
  },
);

test.each(Object.keys(needed.database))('without database.%s it is named, with what it should be', (name) => {
  expect(complaint(withDatabase({ [name]: undefined }))).toMatch(
    new RegExp(`^  prod\\.database\\.${name} must be `, 'm'),
  );
});

const wrong: [path: string, settings: unknown][] = [
  ['domain', withChange({ domain: 'https://journeys.example.org' })],
  ['domain', withChange({ domain: 'journeys' })],
  ['certificateArn', withChange({ certificateArn: 'arn:aws:iam::000000000000:server-certificate/x' })],
  ['certificateArn', withChange({ certificateArn: needed.certificateArn.replace('us-east-1', 'eu-west-1') })],
  ['database', withChange({ database: 'postgres://' })],
  ['database.secretArn', withDatabase({ secretArn: needed.database.secretArn.replace('-abcdef', '') })],
  [
    'database.secretArn',
    withDatabase({ secretArn: needed.database.secretArn.replace('us-east-1', 'eu-west-1') }),
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
  ['redis.replicas', withChange({ redis: { replicas: 0 } })],
  ['tokens.jwksUrl', withChange({ tokens: { jwksUrl: 'http://auth.example.org/jwks.json' } })],
  ['tokens.rotating', withChange({ tokens: { jwksUrl: 'https://auth.example.org/j', rotating: true } })],
  ['corsOrigins.0', withChange({ corsOrigins: ['https://app.example.org/'] })],
  ['logLevel', withChange({ logLevel: 'loud' })],
  ['notifiedEvents.0', withChange({ notifiedEvents: ['TrainerLost'] })],
  ['alarmEmails.0', withChange({ alarmEmails: ['on-call'] })],
  ['logDays', withChange({ logDays: 31 })],
];

test.each(wrong)('a wrong %s is named, with what it should be', (path, settings) => {
  expect(complaint(settings)).toMatch(new RegExp(`^  prod\\.${path.replaceAll('.', '\\.')} must `, 'm'));
});

test('a setting that there is not is named', () => {
  expect(complaint(withChange({ databse: {} }))).toContain('prod.databse is no setting');
  expect(complaint({ ...withChange({}), staging: needed })).toContain('staging is no setting');
});

test('all that is missing or wrong is in one message, of all stages', () => {
  const message = complaint({ dev: { tasks: { min: 1 } }, prod: { ...needed, logDays: 0 } });
  for (const path of ['dev.domain', 'dev.certificateArn', 'dev.database', 'dev.tasks.min', 'prod.logDays']) {
    expect(message.split('\n').filter((line) => line.trim().startsWith(`${path} must`))).toHaveLength(1);
  }
});

test("another stage's mistakes are no reason not to deploy this one", () => {
  expect(complaint({ dev: needed, prod: {} }, { only: 'dev' })).toBe('');
  expect(complaint({ dev: needed }, { only: 'prod' })).toMatch(/no settings for the stage prod/);
  expect(complaint({ dev: needed }, { only: 'test' })).toMatch(/no stage test; there are dev and prod/);
});

test.each([
  ['{', /can't be read/],
  ['{}', /must be an object of stages/],
  ['[]', /must be an object of stages/],
])('a file with %s is refused', (content, message) => {
  expect(complaint(content)).toMatch(message);
});

test("what is left of the example's values is named, where it is not the example itself", () => {
  const example = JSON.parse(readFileSync(join(infra, 'stages.example.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  expect(complaint(example)).toBe('');
  const message = complaint(example, { only: 'dev', isExample: false });
  for (const path of [
    'domain',
    'certificateArn',
    'database.secretArn',
    'database.vpcId',
    'database.routeTableIds.0',
  ]) {
    expect(message).toMatch(new RegExp(`dev\\.${path.replaceAll('.', '\\.')} must be yours`));
  }
});

test('a synth with wrong settings ends with the message alone, no stack trace, and a code that is not 0', () => {
  const settings = fileOf({ prod: { domain: 'journeys.test.invalid' } });
  const context = JSON.stringify({ settings });
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'app.ts'], {
    cwd: infra,
    env: { ...process.env, CDK_CONTEXT_JSON: context },
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stderr.trim().split('\n')).toEqual([
    expect.stringContaining('are missing or wrong:'),
    expect.stringContaining('prod.certificateArn must be'),
    expect.stringContaining('prod.database must be'),
  ]);
});
