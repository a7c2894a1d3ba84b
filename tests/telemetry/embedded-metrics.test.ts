import { startLocalEventBus, type LocalEventBus } from '../../src/dev/event-bus/local-event-bus.js';
import { EmbeddedMetrics } from '../../src/telemetry/embedded-metrics.js';
import { Metrics, type Backlog } from '../../src/telemetry/metrics.js';
import { aSession, metersNorth } from '../support/a-session.js';
import { data } from '../support/api.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { runServiceProcess, type ServiceProcess } from '../support/service-process.js';
import { until } from '../support/until.js';

let redis: PrivateRedis;
let bus: LocalEventBus;
beforeAll(async () => {
  redis = await startPrivateRedis();
  bus = await startLocalEventBus();
});
afterAll(async () => {
  await bus.stop();
  await redis.stop();
});

interface Directive {
  Namespace: string;
  Dimensions: string[][];
  Metrics: { Name: string; Unit: string }[];
}
interface Document extends Record<string, unknown> {
  _aws: { Timestamp: number; CloudWatchMetrics: Directive[] };
}

const backlog: Backlog = { activeJourneys: 7, outboxDepth: 3, outboxAgeSeconds: 1.5 };

/** Metrics, and what is written of them since the last call. */
function writtenMetrics(read = () => Promise.resolve(backlog)) {
  const metrics = new Metrics(read);
  const lines: string[] = [];
  const embedded = new EmbeddedMetrics(metrics, 'journeys', (line) => lines.push(line));
  const written = async () => {
    await embedded.stop();
    return lines.splice(0).map((line) => JSON.parse(line) as Document);
  };
  return { metrics, written };
}

/** All lines of a service that is stopped now. */
async function stopped(service: ServiceProcess): Promise<Record<string, unknown>[]> {
  service.kill('SIGTERM');
  await service.exited;
  await until('all lines are read', () => service.logLines().some((line) => line['msg'] === 'stopped'));
  return service.logLines();
}

/** The value of a metric in the document with this dimension. */
function valueOf(documents: Document[], name: string, dimension: Record<string, string> = {}): unknown {
  const [key, ...none] = Object.keys(dimension);
  expect(none).toEqual([]);
  return documents.find((document) => {
    const keys = document._aws.CloudWatchMetrics[0]?.Dimensions[0] ?? [];
    return name in document && (key === undefined ? keys.length === 0 : document[key] === dimension[key]);
  })?.[name];
}

test('a service with a namespace writes metrics for CloudWatch, at the latest when it stops', async () => {
  const service = await runServiceProcess(bus, {
    REDIS_URL: redis.url,
    EMBEDDED_METRICS_NAMESPACE: 'journeys/test',
  });
  const { sessionId, trainerToken, studentToken } = await aSession();
  data(await service.api.start(sessionId, trainerToken));
  data(await service.api.update(trainerToken, { sessionId, ...metersNorth(400), accuracy: 5 }));
  data(await service.api.live(sessionId, studentToken));
  const documents = (await stopped(service)).filter((line): line is Document => '_aws' in line);
  expect(valueOf(documents, 'location_updates_total', { outcome: 'recorded' })).toBe(1);
  expect(valueOf(documents, 'live_polls_total', { source: 'state' })).toBe(1);
  expect(valueOf(documents, 'journeys_active')).toBe(1);
  expect(valueOf(documents, 'events_dead_total')).toBe(0);
  const route = '/location-tracking/journey/updates';
  expect(valueOf(documents, 'http_request_duration_seconds', { route })).toHaveLength(1);
  for (const { _aws, ...members } of documents) {
    const [directive] = _aws.CloudWatchMetrics;
    expect(directive?.Namespace).toBe('journeys/test');
    expect(_aws.Timestamp).toBeGreaterThan(Date.now() - 60_000);
    const names = directive?.Metrics.map(({ Name }) => Name) ?? [];
    expect(Object.keys(members).sort()).toEqual([...names, ...(directive?.Dimensions[0] ?? [])].sort());
  }
  expect(JSON.stringify(documents)).not.toContain(sessionId);
});

test('a service without a namespace writes none', async () => {
  const service = await runServiceProcess(bus, { REDIS_URL: redis.url });
  expect((await stopped(service)).filter((line) => '_aws' in line)).toEqual([]);
});

test('counters are written as the increase since the last time', async () => {
  const { metrics, written } = writtenMetrics();
  metrics.eventsPublished(5);
  metrics.positionTaken('recorded');
  const first = await written();
  expect(valueOf(first, 'events_published_total')).toBe(5);
  expect(valueOf(first, 'location_updates_total', { outcome: 'recorded' })).toBe(1);
  metrics.eventsPublished(2);
  const second = await written();
  expect(valueOf(second, 'events_published_total')).toBe(2);
  expect(valueOf(second, 'location_updates_total', { outcome: 'recorded' })).toBe(0);
});

test('a few durations are written one by one as the upper bounds of their buckets', async () => {
  const { metrics, written } = writtenMetrics();
  metrics.requestAnswered('GET', '/a', 200, 0.004);
  metrics.requestAnswered('POST', '/a', 503, 0.3);
  metrics.requestAnswered('GET', '/a', 200, 60);
  expect(valueOf(await written(), 'http_request_duration_seconds', { route: '/a' })).toEqual([0.005, 0.5, 5]);
  expect(valueOf(await written(), 'http_request_duration_seconds', { route: '/a' })).toBeUndefined();
});

test('many durations are written as a hundred with the same percentiles', async () => {
  const { metrics, written } = writtenMetrics();
  for (let count = 0; count < 9_700; count++) metrics.requestAnswered('GET', '/a', 200, 0.004);
  for (let count = 0; count < 300; count++) metrics.requestAnswered('GET', '/a', 200, 0.4);
  const values = valueOf(await written(), 'http_request_duration_seconds', { route: '/a' }) as number[];
  expect(values).toHaveLength(100);
  expect(values.filter((seconds) => seconds === 0.005)).toHaveLength(97);
  expect(values.filter((seconds) => seconds === 0.5)).toHaveLength(3);
});

test('gauges are written with their value, and omitted while Redis is unavailable', async () => {
  let answer: Promise<Backlog> = Promise.resolve(backlog);
  const { written } = writtenMetrics(() => answer);
  expect(valueOf(await written(), 'outbox_oldest_age_seconds')).toBe(1.5);
  answer = Promise.reject(new Error('unavailable'));
  const unavailable = await written();
  expect(valueOf(unavailable, 'outbox_oldest_age_seconds')).toBeUndefined();
  expect(valueOf(unavailable, 'events_dead_total')).toBe(0);
});
