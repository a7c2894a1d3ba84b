import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Template } from 'aws-cdk-lib/assertions';
import { readConfig } from '../../src/config.js';
import { EVENT_SOURCE, events } from '../../src/contract/events.js';
import { EmbeddedMetrics } from '../../src/telemetry/embedded-metrics.js';
import { Metrics } from '../../src/telemetry/metrics.js';
import { eventTypes, stageNames } from '../settings/stage-settings.js';
import { resources, templateOf, theContainer } from './support/a-stack.js';

const sourceOf = (path: string) => readFileSync(join(import.meta.dirname, '../../src', path), 'utf8');

/** The environment of a task, with placeholders for values that only AWS knows. */
function environmentOf(template: Template): Record<string, string> {
  const { Environment, Secrets } = theContainer(template);
  const known: Record<string, string> = { DATABASE_HOST: 'db.example.org', DATABASE_NAME: 'platform' };
  const plain = Environment.map(({ Name, Value }) => [Name, flat(Value)]);
  const secret = Secrets.map(({ Name }) => [Name, known[Name] ?? 'a secret of at least 32 letters, this']);
  return Object.fromEntries([...plain, ...secret]) as Record<string, string>;
}

/** A template value as text; CloudFormation references become placeholders. */
function flat(value: unknown): string {
  if (typeof value === 'string') return value;
  const parts = (value as { 'Fn::Join'?: [string, unknown[]] })['Fn::Join'];
  return parts === undefined ? 'filled-in' : parts[1].map(flat).join(parts[0]);
}

const kinds: [name: string, changes: Record<string, unknown>][] = [
  ['a shared secret', {}],
  ['a shared secret during its rotation', { tokens: { rotating: true } }],
  ['a key set', { tokens: { jwksUrl: 'https://auth.example.org/jwks.json', issuer: 'x', audience: 'y' } }],
  [
    'origins and another log level',
    { corsOrigins: ['https://*.example.org', 'capacitor://localhost'], logLevel: 'debug' },
  ],
];

test.each(stageNames.flatMap((stage) => kinds.map(([name, changes]) => [stage, name, changes] as const)))(
  'the service accepts the settings of %s with %s',
  (stage, _name, changes) => {
    const environment = environmentOf(templateOf(stage, changes));
    const config = readConfig(environment);
    expect(config).toMatchObject({ port: 3010, managementPort: 9464, shutdownDelayMs: 5_000 });
    expect(config.redis.url).toMatch(/^rediss:\/\/:[^@]+@filled-in:6380/);
    expect(config.postgres.ca).toMatch(/BEGIN CERTIFICATE/);
    expect(config.embeddedMetricsNamespace).toBe('admin-service');
  },
);

test('the service knows every setting that it is given', () => {
  const config = ['config.ts', 'config/database.ts', 'config/redis.ts'].map(sourceOf).join('');
  for (const name of Object.keys(environmentOf(templateOf('prod', { tokens: { rotating: true } })))) {
    expect(config).toMatch(new RegExp(`^  ${name}: `, 'm'));
  }
});

test('the rule matches every event type of the contract', () => {
  expect([...eventTypes].sort()).toEqual(Object.keys(events).sort());
  templateOf('prod').hasResourceProperties('AWS::Events::Rule', { EventPattern: { source: [EVENT_SOURCE] } });
});

interface WatchedMetric {
  name: string;
  dimensions: Record<string, string>;
}

/** The service's metrics that alarms or the dashboard use. */
function watchedMetrics(template: Template): WatchedMetric[] {
  const [board] = Object.values(resources(template, 'AWS::CloudWatch::Dashboard'));
  const { widgets } = JSON.parse(flat(board?.['DashboardBody'])) as {
    widgets: { properties: { metrics?: unknown[][] } }[];
  };
  const onBoard = widgets
    .flatMap(({ properties }) => properties.metrics ?? [])
    .filter(([namespace]) => namespace === 'admin-service')
    .map(([, name, ...rest]) => {
      const [dimension, value] = rest.filter((part) => typeof part === 'string');
      return {
        name: String(name),
        dimensions: dimension === undefined || value === undefined ? {} : { [dimension]: value },
      };
    });
  const inAlarms = Object.values(resources(template, 'AWS::CloudWatch::Alarm'))
    .filter((alarm) => alarm['Namespace'] === 'admin-service')
    .map((alarm) => ({
      name: String(alarm['MetricName']),
      dimensions: Object.fromEntries(
        ((alarm['Dimensions'] ?? []) as { Name: string; Value: string }[]).map(({ Name, Value }) => [
          Name,
          Value,
        ]),
      ),
    }));
  return [...onBoard, ...inAlarms];
}

/** The metrics that the service writes for CloudWatch, each with its dimension. */
async function writtenMetrics(): Promise<Set<string>> {
  const metrics = new Metrics(() =>
    Promise.resolve({ activeJourneys: 1, outboxDepth: 1, outboxAgeSeconds: 1 }),
  );
  metrics.gaugeWaiting(() => 1);
  metrics.gaugeStretch(() => 1);
  metrics.requestAnswered('GET', '/', 200, 0.1);
  metrics.redisCalled('start', 0.1, true);
  metrics.postgresQueried(0.1, true);
  metrics.polled('state');
  metrics.positionTaken('recorded');
  const lines: string[] = [];
  await new EmbeddedMetrics(metrics, 'admin-service', (line) => lines.push(line)).stop();
  return new Set(
    lines.flatMap((line) => {
      const { _aws } = JSON.parse(line) as {
        _aws: { CloudWatchMetrics: { Dimensions: string[][]; Metrics: { Name: string }[] }[] };
      };
      return _aws.CloudWatchMetrics.flatMap(({ Dimensions, Metrics: metrics }) =>
        metrics.map(({ Name }) => `${Name} ${(Dimensions[0] ?? []).join()}`),
      );
    }),
  );
}

test('the service writes every metric that is watched, with the same dimension', async () => {
  const watched = watchedMetrics(templateOf('prod'));
  expect(watched.length).toBeGreaterThan(20);
  const written = await writtenMetrics();
  const missing = watched.filter(
    ({ name, dimensions }) => !written.has(`${name} ${Object.keys(dimensions).join()}`),
  );
  expect(missing).toEqual([]);
});

test("the canary writes its alarm's metric", () => {
  const alarms = Object.values(resources(templateOf('prod'), 'AWS::CloudWatch::Alarm'));
  expect(JSON.stringify(alarms)).toContain('"MetricName":"canary_failed"');
  expect(sourceOf('canary.ts')).toContain("Name: 'canary_failed'");
});

test('every metric that the service writes is watched', async () => {
  const watched = new Set(watchedMetrics(templateOf('prod')).map(({ name }) => name));
  const unwatched = [...(await writtenMetrics())].filter((each) => !watched.has(each.split(' ')[0] ?? ''));
  expect(unwatched).toEqual([]);
});

test.each([
  ['route', 'http/routes.ts'],
  ['outcome', 'journeys/outcomes.ts'],
  ['source', 'journeys/ports.ts'],
])('every watched value of %s exists in the service', (dimension, file) => {
  const inCode = sourceOf(file) + sourceOf('telemetry/metrics.ts');
  const values = watchedMetrics(templateOf('prod')).flatMap(({ dimensions }) => dimensions[dimension] ?? []);
  expect(values.length).toBeGreaterThan(1);
  for (const value of values) expect(inCode).toContain(`'${value}'`);
});
