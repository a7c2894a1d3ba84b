import { internalFailure } from '../../src/dev/event-bus/local-event-bus.js';
import { aJourney } from '../support/a-journey.js';
import { aSession, metersNorth } from '../support/a-session.js';
import { data } from '../support/api.js';
import { putIntoOutbox } from '../support/outbox-entry.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { metric, runService, type RunningService } from '../support/running-service.js';
import { until } from '../support/until.js';

let redis: PrivateRedis;
let service: RunningService;
beforeAll(async () => {
  redis = await startPrivateRedis();
  service = await runService({ settings: { REDIS_URL: redis.url } });
});
afterEach(() => {
  service.bus.failWhile(undefined);
});
afterAll(async () => {
  await service.stop();
  await redis.stop();
});

const LIVE = 'route="/location-tracking/journey/live"';

test('the management port alone has the metrics, in the text format of Prometheus, and not the API', async () => {
  const answer = await fetch(service.metricsUrl);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
  expect(await answer.text()).toMatch(/^# HELP http_request_duration_seconds /m);
  const url = service.metricsUrl.replace('/metrics', '/api/v1/admin/location-tracking/journey/live');
  expect((await fetch(url)).status).toBe(404);
  expect((await fetch(`${service.url}/metrics`)).status).toBe(404);
});

test('requests are counted by route and status, not by URL', async () => {
  const session = await aSession();
  const count = (labels: string) => metric(service, 'http_request_duration_seconds_count', labels);
  const before = [await count(`${LIVE},status="200"`), await count(`${LIVE},status="401"`)];
  await service.api.live(session.sessionId, session.studentToken);
  await service.api.live(session.sessionId, 'not.a.token');
  await until('both are counted', async () => {
    const after = [await count(`${LIVE},status="200"`), await count(`${LIVE},status="401"`)];
    return after.every((value, index) => value === (before[index] ?? 0) + 1);
  });
});

test('unknown routes are counted together, so that callers cannot create series', async () => {
  for (const path of ['/one', '/two', '/three']) await fetch(`${service.url}${path}`);
  const text = await until(
    'they are counted',
    async () => (await allText()).includes('status="404"') && allText(),
  );
  expect(text).not.toMatch(/route="\/(one|two|three)"/);
});

test('calls to Redis are timed by operation, and no label contains an id', async () => {
  const count = (operation: string) =>
    metric(service, 'redis_call_duration_seconds_count', `operation="${operation}"`);
  const operations = ['start', 'recordPosition', 'readLive', 'arrive', 'stop'];
  const before = await Promise.all(operations.map(count));
  const session = await aJourney(service.api);
  const { sessionId, trainerId, studentId, trainerToken, studentToken } = session;
  data(await service.api.update(trainerToken, { sessionId, ...metersNorth(20), accuracy: 5 }));
  data(await service.api.live(sessionId, studentToken));
  data(await service.api.arrived(sessionId, trainerToken));
  await service.api.stop(sessionId, trainerToken);
  const after = await Promise.all(operations.map(count));
  expect(after.every((value, index) => value > (before[index] ?? 0))).toBe(true);
  const text = await allText();
  for (const id of [sessionId, trainerId, studentId]) expect(text).not.toContain(id);
});

test('updates are counted by outcome', async () => {
  const count = (outcome: string) => metric(service, 'location_updates_total', `outcome="${outcome}"`);
  const outcomes = ['recorded', 'rateLimited', 'implausible'];
  const before = await Promise.all(outcomes.map(count));
  const { sessionId, trainerId, trainerToken } = await aJourney(service.api);
  const update = (meters: number) =>
    service.api.update(trainerToken, { sessionId, ...metersNorth(meters), accuracy: 5 });
  expect((await update(100)).status).toBe(201);
  expect((await update(100)).status).toBe(429);
  await redis.client.del(`location:rate:${trainerId}`);
  expect((await update(50_000)).status).toBe(400);
  expect(await Promise.all(outcomes.map(count))).toEqual(before.map((value) => value + 1));
});

test('a start increases the number of active journeys, its end decreases it', async () => {
  const before = await metric(service, 'journeys_active');
  const session = await aJourney(service.api);
  expect(await metric(service, 'journeys_active')).toBe(before + 1);
  data(await service.api.stop(session.sessionId, session.trainerToken));
  expect(await metric(service, 'journeys_active')).toBe(before);
});

test('depth and age of the outbox grow while EventBridge fails; what is published then is counted', async () => {
  const isEmpty = async () => (await metric(service, 'outbox_depth')) === 0;
  const published = () => metric(service, 'events_published_total');
  await until('the events of other tests are published', isEmpty, 20_000);
  const before = await published();
  service.bus.failWhile(() => internalFailure);
  for (let events = 3; events > 0; events--) await putIntoOutbox(redis.client);
  expect(await metric(service, 'outbox_depth')).toBe(3);
  await until('it grows older', async () => (await metric(service, 'outbox_oldest_age_seconds')) > 0.2);
  service.bus.failWhile(undefined);
  await until('it is empty', isEmpty, 20_000);
  expect(await metric(service, 'outbox_oldest_age_seconds')).toBe(0);
  await until('each is counted once', async () => (await published()) === before + 3);
});

async function allText(): Promise<string> {
  return (await fetch(service.metricsUrl)).text();
}
