import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import { aSession, HOME, metersNorth, type ASession } from '../support/a-session.js';
import { data } from '../support/api.js';
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

const iso = (ms: number) => new Date(ms).toISOString();
const ttl = (key: string) => sharedRedis().ttl(key);
const post = ({ sessionId, trainerToken }: ASession, more: object = {}) =>
  service.api.update(trainerToken, { sessionId, ...metersNorth(100), ...more });

function expectTtl(seconds: number, most: number): void {
  expect(seconds).toBeLessThanOrEqual(most);
  expect(seconds).toBeGreaterThan(most - 20);
}

describe('journey:active', () => {
  test('has who travels to whom since when', async () => {
    const { sessionId, trainerId, studentId } = await aJourney(service.api);
    expect(await jsonAt(keyOf.active(sessionId))).toMatchObject({
      ...{ sessionId, trainerId, studentId, status: 'in_progress' },
      startedAt: iso(clock.now()),
    });
  });

  test('lives for an hour', async () => {
    const { sessionId } = await aJourney(service.api);
    expectTtl(await ttl(keyOf.active(sessionId)), 3_600);
  });

  test('is never prolonged, by updates, polls or a second start', async () => {
    const journey = await aJourney(service.api);
    await sharedRedis().expire(keyOf.active(journey.sessionId), 1_000);
    data(await post(journey));
    clock.advance(5_000);
    data(await post(journey));
    await service.api.live(journey.sessionId, journey.studentToken);
    await service.api.start(journey.sessionId, journey.trainerToken);
    expectTtl(await ttl(keyOf.active(journey.sessionId)), 1_000);
  });
});

describe('location:trainer:…:session:…', () => {
  const locationOf = ({ trainerId, sessionId }: ASession) => keyOf.location(trainerId, sessionId);

  test('has the last position and its ids', async () => {
    const journey = await aJourney(service.api);
    const position = { ...metersNorth(100), accuracy: 6.5, speed: 9.25, heading: 270 };
    data(await post(journey, position));
    const { sessionId, trainerId } = journey;
    const location = { ...position, sessionId, trainerId, timestamp: iso(clock.now()) };
    expect(await jsonAt(locationOf(journey))).toMatchObject(location);
  });

  test('leaves out what the phone does not know', async () => {
    const journey = await aJourney(service.api);
    data(await post(journey, { accuracy: -1, speed: null }));
    const location = await jsonAt(locationOf(journey));
    expect(['accuracy', 'speed', 'heading'].filter((field) => field in location)).toEqual([]);
  });

  test('has its numbers to the last digit', async () => {
    const journey = await aJourney(service.api);
    const position = {
      latitude: 12.971598765432123,
      longitude: 77.59456612345679,
      sequence: Number.MAX_SAFE_INTEGER,
    };
    data(await post(journey, position));
    const { latitude, longitude } = position;
    expect(await jsonAt(locationOf(journey))).toMatchObject({ latitude, longitude });
  });

  test('lives for 5 minutes from each update', async () => {
    const journey = await aJourney(service.api);
    data(await post(journey));
    expectTtl(await ttl(locationOf(journey)), 300);
    await sharedRedis().expire(locationOf(journey), 50);
    clock.advance(5_000);
    data(await post(journey));
    expectTtl(await ttl(locationOf(journey)), 300);
  });

  test('is not written before the first position', async () => {
    expect(await exists(locationOf(await aJourney(service.api)))).toBe(false);
  });

  test('of a coarse position is written too', async () => {
    const journey = await aJourney(service.api);
    data(await post(journey, { accuracy: 900 }));
    expect(await jsonAt(locationOf(journey))).toMatchObject({ accuracy: 900 });
  });
});

describe('location:rate', () => {
  const rateTtlMs = ({ trainerId, sessionId }: ASession) =>
    sharedRedis().pttl(keyOf.rate(trainerId, sessionId));

  test('lives for 6 s at most', async () => {
    const journey = await aJourney(service.api);
    data(await post(journey));
    expect(await rateTtlMs(journey)).toBeGreaterThan(0);
    expect(await rateTtlMs(journey)).toBeLessThanOrEqual(6_000);
  });

  test('lives for 6 s at most also for a phone that comes as early as it may', async () => {
    const journey = await aJourney(service.api);
    data(await post(journey));
    clock.advance(4_000);
    data(await post(journey));
    expect(await rateTtlMs(journey)).toBeLessThanOrEqual(6_000);
    await post(journey);
    expect(await rateTtlMs(journey)).toBeLessThanOrEqual(6_000);
  });
});

describe('journey:ended', () => {
  test.each([
    ['arrived', 'arrived'],
    ['stop', 'cancelled'],
  ] as const)('after %s has the ids, the time and the reason "%s"', async (call, reason) => {
    const journey = await aJourney(service.api);
    data(await post(journey));
    data(await service.api[call](journey.sessionId, journey.trainerToken));
    const { sessionId, trainerId, studentId } = journey;
    const ended = await jsonAt(keyOf.ended(sessionId));
    expect(ended).toMatchObject({ sessionId, trainerId, studentId, reason, endedAt: iso(clock.now()) });
  });

  test('lives for 5 minutes, and no call prolongs it', async () => {
    const { sessionId, trainerToken, studentToken } = await aJourney(service.api);
    data(await service.api.stop(sessionId, trainerToken));
    expectTtl(await ttl(keyOf.ended(sessionId)), 300);
    await sharedRedis().expire(keyOf.ended(sessionId), 100);
    await service.api.live(sessionId, studentToken);
    await service.api.stop(sessionId, trainerToken);
    expectTtl(await ttl(keyOf.ended(sessionId)), 100);
  });
});

describe('session:meta', () => {
  test('from the start has the session as Postgres has it, for an hour', async () => {
    const { sessionId, trainerId, studentId } = await aJourney(service.api);
    const meta = await jsonAt(keyOf.meta(sessionId));
    expect(meta).toMatchObject({ trainerId, studentId, studentHomeLocation: HOME });
    expect(typeof meta['status']).toBe('string');
    expectTtl(await ttl(keyOf.meta(sessionId)), 3_600);
  });

  test('before the start has the same, for a minute', async () => {
    const { sessionId, trainerId, studentId, studentToken } = await aSession();
    await service.api.live(sessionId, studentToken);
    expect(await jsonAt(keyOf.meta(sessionId))).toMatchObject({
      ...{ trainerId, studentId, status: 'scheduled', studentHomeLocation: HOME },
    });
    expectTtl(await ttl(keyOf.meta(sessionId)), 60);
  });

  test('of a session without a home has null for it', async () => {
    const { sessionId } = await aJourney(service.api, { home: null });
    expect(await jsonAt(keyOf.meta(sessionId))).toMatchObject({ studentHomeLocation: null });
  });
});

describe.each([
  ['of an active journey', false],
  ['after the end', true],
])('every key %s', (_when, ended) => {
  test('that is of a session or a trainer has a TTL', async () => {
    const journey = await aJourney(service.api);
    const { sessionId, trainerId, trainerToken, studentToken } = journey;
    data(await post(journey, { sequence: 1 }));
    await service.api.live(sessionId, studentToken);
    if (ended) data(await service.api.stop(sessionId, trainerToken, { 'Idempotency-Key': randomUUID() }));
    const keys = [...(await keysLike(`*${sessionId}*`)), ...(await keysLike(`*${trainerId}*`))];
    expect(keys.length).toBeGreaterThan(1);
    const endless: string[] = [];
    for (const key of keys) if ((await ttl(key)) < 0) endless.push(key);
    expect(endless).toEqual([]);
  });
});

test('an Idempotency-Key does not become a name in Redis, and its record has a TTL', async () => {
  const { sessionId, trainerToken } = await aSession();
  const key = `k-${randomUUID()}`;
  const before = new Set(await keysLike('*'));
  data(await service.api.start(sessionId, trainerToken, { 'Idempotency-Key': key }));
  const added = (await keysLike('*')).filter((name) => !before.has(name));
  expect(added.filter((name) => name.includes(key))).toEqual([]);
  for (const name of added.filter((each) => each.includes(sessionId)))
    expect(await ttl(name)).toBeGreaterThan(0);
});

test('only indexes and streams have no TTL, and an ended journey is in no index', async () => {
  // Its own: others put into theirs what does not belong there.
  const redis = await startPrivateRedis();
  const alone = await runService({ settings: { REDIS_URL: redis.url } });
  try {
    const { sessionId, trainerToken } = await aJourney(alone.api);
    data(await alone.api.stop(sessionId, trainerToken));
    const endless: [string, string][] = [];
    for (const key of await redis.client.keys('*')) {
      if ((await redis.client.ttl(key)) === -1) endless.push([key, await redis.client.type(key)]);
    }
    expect(endless.filter(([, type]) => type !== 'zset' && type !== 'stream')).toEqual([]);
    for (const [key, type] of endless) {
      if (type === 'zset') expect(await redis.client.zscore(key, sessionId)).toBeNull();
    }
  } finally {
    await alone.stop();
    await redis.stop();
  }
});

test('the TTLs are settings', async () => {
  const settings = { JOURNEY_TTL_SECONDS: '900', LOCATION_TTL_SECONDS: '90', ENDED_TTL_SECONDS: '45' };
  const other = await runService({ settings });
  try {
    const journey = await aJourney(other.api);
    const { sessionId, trainerId, trainerToken } = journey;
    expect(data(await other.api.update(trainerToken, { sessionId, ...metersNorth(1) }))).toMatchObject({
      ttl: 90,
    });
    expectTtl(await ttl(keyOf.active(sessionId)), 900);
    expectTtl(await ttl(keyOf.location(trainerId, sessionId)), 90);
    data(await other.api.stop(sessionId, trainerToken));
    expectTtl(await ttl(keyOf.ended(sessionId)), 45);
  } finally {
    await other.stop();
  }
});
