import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import { aSession, HOME, metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { MovableClock } from '../support/movable-clock.js';
import { exists, jsonAt, keyOf, keysLike, sharedRedis } from '../support/redis-of-the-run.js';
import { startPrivateRedis } from '../support/private-redis.js';
import { runService, type RunningService } from '../support/running-service.js';

const clock = new MovableClock();
let service: RunningService;
beforeAll(async () => {
  service = await runService({ clock: clock.now });
});
afterAll(() => service.stop());

const now = () => new Date(clock.now()).toISOString();
const locationKey = ({ trainerId, sessionId }: ASession) => keyOf.location(trainerId, sessionId);
const post = ({ sessionId, trainerToken }: ASession, more: object = {}) =>
  service.api.update(trainerToken, { sessionId, ...metersNorth(100), ...more });

async function expectTtl(key: string, most: number): Promise<void> {
  const seconds = await sharedRedis().ttl(key);
  expect(seconds).toBeLessThanOrEqual(most);
  expect(seconds).toBeGreaterThan(most - 20);
}

describe('journey:active', () => {
  test('has who travels to whom since when, for an hour', async () => {
    const { sessionId, trainerId, studentId } = await aJourney(service.api);
    const journey = { sessionId, trainerId, studentId, status: 'in_progress', startedAt: now() };
    expect(await jsonAt(keyOf.active(sessionId))).toMatchObject(journey);
    await expectTtl(keyOf.active(sessionId), 3_600);
  });

  test('is never prolonged, by updates, polls or a second start', async () => {
    const journey = await aJourney(service.api);
    await sharedRedis().expire(keyOf.active(journey.sessionId), 1_000);
    data(await post(journey));
    clock.advance(5_000);
    data(await post(journey));
    await service.api.live(journey.sessionId, journey.studentToken);
    await service.api.start(journey.sessionId, journey.trainerToken);
    await expectTtl(keyOf.active(journey.sessionId), 1_000);
  });

  test('that expired before the journey was ended counts as an end for five minutes', async () => {
    const { sessionId, trainerToken, studentToken } = await aJourney(service.api);
    // Redis' clock does not move with the test's.
    await sharedRedis().del(keyOf.active(sessionId));
    clock.advance(66 * 60_000);
    const live = data(await service.api.live(sessionId, studentToken));
    expect(live).toMatchObject({ isActive: false });
    expect(live).not.toHaveProperty('endedReason');
    const update = await service.api.update(trainerToken, { sessionId, ...metersNorth(50) });
    expect(refusal(update)).toMatchObject({ status: 404, code: 'JOURNEY_NOT_ACTIVE' });
  });
});

describe('location:trainer:…:session:…', () => {
  test.each<[string, object]>([
    ['with its ids, to the last digit', { latitude: 12.971598765432123, longitude: 77.59456612345679 }],
    ['with all that the phone knows', { accuracy: 6.5, speed: 9.25, heading: 270 }],
    ['also when it is coarse', { accuracy: 900 }],
    ['with the largest sequence', { sequence: Number.MAX_SAFE_INTEGER }],
  ])('has the last position %s', async (_what, more) => {
    const journey = await aJourney(service.api);
    expect(await exists(locationKey(journey))).toBe(false);
    data(await post(journey, more));
    const { sessionId, trainerId } = journey;
    const location = { ...metersNorth(100), ...more, sessionId, trainerId, timestamp: now() };
    expect(await jsonAt(locationKey(journey))).toMatchObject(location);
  });

  test('does not have the fields that the phone does not know', async () => {
    const journey = await aJourney(service.api);
    data(await post(journey, { accuracy: -1, speed: null }));
    const location = await jsonAt(locationKey(journey));
    expect(['accuracy', 'speed', 'heading'].filter((field) => field in location)).toEqual([]);
  });

  test('lives for 5 minutes from each update', async () => {
    const journey = await aJourney(service.api);
    data(await post(journey));
    await expectTtl(locationKey(journey), 300);
    await sharedRedis().expire(locationKey(journey), 50);
    clock.advance(5_000);
    data(await post(journey));
    await expectTtl(locationKey(journey), 300);
  });
});

test('location:rate lives for 6 s at most, also for a phone that posts as early as it may', async () => {
  const journey = await aJourney(service.api);
  for (const laterMs of [0, 4_000, 0]) {
    clock.advance(laterMs);
    await post(journey);
    const ttlMs = await sharedRedis().pttl(keyOf.rate(journey.trainerId, journey.sessionId));
    expect(ttlMs).toBeGreaterThan(0);
    expect(ttlMs).toBeLessThanOrEqual(6_000);
  }
});

test.each([
  ['arrived', 'arrived'],
  ['stop', 'cancelled'],
] as const)(
  'journey:ended after %s has the ids, the time and the reason %s for 5 minutes',
  async (call, reason) => {
    const journey = await aJourney(service.api);
    const { sessionId, trainerId, studentId, trainerToken, studentToken } = journey;
    data(await post(journey));
    data(await service.api[call](sessionId, trainerToken));
    const ended = { sessionId, trainerId, studentId, reason, endedAt: now() };
    expect(await jsonAt(keyOf.ended(sessionId))).toMatchObject(ended);
    await expectTtl(keyOf.ended(sessionId), 300);
    await sharedRedis().expire(keyOf.ended(sessionId), 100);
    await service.api.live(sessionId, studentToken);
    await service.api.stop(sessionId, trainerToken);
    await expectTtl(keyOf.ended(sessionId), 100);
  },
);

describe('session:meta', () => {
  test.each([
    ['', HOME],
    [' without a home', null],
  ])('from the start has the session%s, for an hour', async (_what, home) => {
    const { sessionId, trainerId, studentId } = await aJourney(service.api, { home });
    const status = expect.any(String) as string;
    const meta = { trainerId, studentId, status, studentHomeLocation: home };
    expect(await jsonAt(keyOf.meta(sessionId))).toMatchObject(meta);
    await expectTtl(keyOf.meta(sessionId), 3_600);
  });

  test('before the start has the session, for a minute', async () => {
    const { sessionId, trainerId, studentId, studentToken } = await aSession();
    await service.api.live(sessionId, studentToken);
    const meta = { trainerId, studentId, status: 'scheduled', studentHomeLocation: HOME };
    expect(await jsonAt(keyOf.meta(sessionId))).toMatchObject(meta);
    await expectTtl(keyOf.meta(sessionId), 60);
  });
});

test.each([
  ['of an active journey', false],
  ['after the end', true],
])('every key of a session or a trainer has a TTL: %s', async (_when, isEnded) => {
  const journey = await aJourney(service.api);
  const { sessionId, trainerId, trainerToken, studentToken } = journey;
  data(await post(journey, { sequence: 1 }));
  await service.api.live(sessionId, studentToken);
  if (isEnded) data(await service.api.stop(sessionId, trainerToken, { 'Idempotency-Key': randomUUID() }));
  const keys = [...(await keysLike(`*${sessionId}*`)), ...(await keysLike(`*${trainerId}*`))];
  expect(keys.length).toBeGreaterThan(1);
  const endless: string[] = [];
  for (const key of keys) if ((await sharedRedis().ttl(key)) < 0) endless.push(key);
  expect(endless).toEqual([]);
});

test('an Idempotency-Key is not part of a name in Redis, and its record has a TTL', async () => {
  const { sessionId, trainerToken } = await aSession();
  const key = `k-${randomUUID()}`;
  const before = new Set(await keysLike('*'));
  data(await service.api.start(sessionId, trainerToken, { 'Idempotency-Key': key }));
  const added = (await keysLike('*')).filter((name) => !before.has(name));
  expect(added.filter((name) => name.includes(key))).toEqual([]);
  for (const name of added.filter((each) => each.includes(sessionId)))
    expect(await sharedRedis().ttl(name)).toBeGreaterThan(0);
});

test('only indexes and streams have no TTL, and an ended journey is in no index', async () => {
  const redis = await startPrivateRedis();
  const alone = await runService({ settings: { REDIS_URL: redis.url } });
  try {
    const { sessionId, trainerToken } = await aJourney(alone.api);
    data(await alone.api.stop(sessionId, trainerToken));
    for (const key of await redis.client.keys('*')) {
      if ((await redis.client.ttl(key)) !== -1) continue;
      const type = await redis.client.type(key);
      expect(['zset', 'stream']).toContain(type);
      if (type === 'zset') expect(await redis.client.zscore(key, sessionId)).toBeNull();
    }
  } finally {
    await alone.stop();
    await redis.stop();
  }
});

test('the TTLs are settings', async () => {
  const settings = { JOURNEY_TTL_SECONDS: '900', LOCATION_TTL_SECONDS: '90', ENDED_TTL_SECONDS: '45' };
  // On one clock: otherwise the first service takes its journeys for overdue.
  const other = await runService({ settings, clock: clock.now });
  try {
    const journey = await aJourney(other.api);
    const { sessionId, trainerToken } = journey;
    const answer = await other.api.update(trainerToken, { sessionId, ...metersNorth(1) });
    expect(data(answer)).toMatchObject({ ttl: 90 });
    await expectTtl(keyOf.active(sessionId), 900);
    await expectTtl(locationKey(journey), 90);
    data(await other.api.stop(sessionId, trainerToken));
    await expectTtl(keyOf.ended(sessionId), 45);
  } finally {
    await other.stop();
  }
});
