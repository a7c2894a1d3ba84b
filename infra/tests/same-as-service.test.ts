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

/** What a task would have in its environment, with something in place of what only AWS knows. */
function environmentOf(template: Template): Record<string, string> {
  const { Environment, Secrets } = theContainer(template);
  const known: Record<string, string> = { DATABASE_HOST: 'db.example.org', DATABASE_NAME: 'platform' };
  const plain = Environment.map(({ Name, Value }) => [Name, flat(Value)]);
  const secret = Secrets.map(({ Name }) => [Name, known[Name] ?? 'a secret of at least 32 letters, this']);
  return Object.fromEntries([...plain, ...secret]) as Record<string, string>;
}

/** A value of a template as text; what CloudFormation fills in is a name. */
function flat(value: unknown): string {
  if (typeof value === 'string') return value;
  const parts = (value as { 'Fn::Join'?: [string, unknown[]] })['Fn::Join'];
  return parts === undefined ? 'filled-in' : parts[1].map(flat).join(parts[0]);
}

const kinds: [name: string, changes: Record<string, unknown>][] = [
  ['a shared secret', {}],
  ['a shared secret that is being replaced', { tokens: { rotating: true } }],
  ['a key set', { tokens: { jwksUrl: 'https://auth.example.org/jwks.json', issuer: 'x', audience: 'y' } }],
  ['origins and another log level', { corsOrigins: ['https://app.example.org'], logLevel: 'debug' }],
];

test.each(stageNames.flatMap((stage) => kinds.map(([name, changes]) => [stage, name, changes] as const)))(
  "the service takes %s's settings with %s",
  (stage, _name, changes) => {
    const environment = environmentOf(templateOf(stage, changes));
    const config = readConfig(environment);
    expect(config).toMatchObject({ port: 3010, managementPort: 9464, shutdownDelayMs: 5_000 });
    expect(config.redis.url).toMatch(/^rediss:\/\/:[^@]+@filled-in:6380/);
    expect(config.postgres.ca).toMatch(/BEGIN CERTIFICATE/);
    expect(config.embeddedMetricsNamespace).toBe('admin-service');
  },
);

test('the service knows each setting that it is given, or the AWS SDK does', () => {
  const config = sourceOf('config.ts') + sourceOf('config/redis.ts');
  for (const name of Object.keys(environmentOf(templateOf('prod', { tokens: { rotating: true } })))) {
    expect(config).toMatch(new RegExp(`^  ${name}: `, 'm'));
  }
});

test('the rule knows every event of the contract, by its source', () => {
  expect([...eventTypes].sort()).toEqual(Object.keys(events).sort());
  templateOf('prod').hasResourceProperties('AWS::Events::Rule', { EventPattern: { source: [EVENT_SOURCE] } });
});

interface Looked {
  name: string;
  dimensions: Record<string, string>;
}

/** Metrics of the service that alarms or the dashboard look at. */
function lookedAt(template: Template): Looked[] {
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

/** What the service writes for CloudWatch, by metric and the name of its dimension. */
async function written(): Promise<Set<string>> {
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
      return _aws.CloudWatchMetrics.flatMap(({ Dimensions, Metrics: told }) =>
        told.map(({ Name }) => `${Name} ${(Dimensions[0] ?? []).join()}`),
      );
    }),
  );
}

test('each metric that is looked at is one that the service writes, with that dimension', async () => {
  const looked = lookedAt(templateOf('prod'));
  expect(looked.length).toBeGreaterThan(20);
  const exist = await written();
  const missing = looked.filter(
    ({ name, dimensions }) => !exist.has(`${name} ${Object.keys(dimensions).join()}`),
  );
  expect(missing).toEqual([]);
});

test('each metric that the service writes is looked at', async () => {
  const looked = new Set(lookedAt(templateOf('prod')).map(({ name }) => name));
  const unseen = [...(await written())].filter((each) => !looked.has(each.split(' ')[0] ?? ''));
  expect(unseen).toEqual([]);
});

test.each([
  ['route', 'http/routes.ts'],
  ['outcome', 'journey/outcomes.ts'],
  ['source', 'journey/ports.ts'],
])('each %s that is looked at is one of the service', (dimension, file) => {
  const inCode = sourceOf(file) + sourceOf('observability/metrics.ts');
  const values = lookedAt(templateOf('prod')).flatMap(({ dimensions }) => dimensions[dimension] ?? []);
  expect(values.length).toBeGreaterThan(1);
  for (const value of values) expect(inCode).toContain(`'${value}'`);
});
