import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import { aSession, metersNorth, sessionsPool, type ASession } from '../support/a-session.js';
import { data, refusal, type Answer } from '../support/api.js';
import { MovableClock } from '../support/movable-clock.js';
import { contentOf, exists, keyOf, keysLike, sharedRedis } from '../support/redis-of-the-run.js';
import { runService, type RunningService } from '../support/running-service.js';
import { tokenFor } from '../support/tokens.js';
import { until } from '../support/until.js';

const clock = new MovableClock();
let service: RunningService;
beforeAll(async () => {
  service = await runService({ clock: clock.now });
});
afterAll(() => service.stop());

async function aJourneyAt(
  meters: number,
  more: object = {},
  row: { home?: unknown } = {},
): Promise<ASession> {
  const journey = await aJourney(service.api, row);
  const body = { sessionId: journey.sessionId, ...metersNorth(meters), ...more };
  data(await service.api.update(journey.trainerToken, body));
  return journey;
}

/** Precise at the door, then so much later a coarse one. */
async function aJourneyBesideACoarse(ms: number): Promise<ASession> {
  const journey = await aJourneyAt(40, { accuracy: 8 });
  clock.advance(5_000);
  const coarse = { sessionId: journey.sessionId, ...metersNorth(900), accuracy: 2_000 };
  data(await service.api.update(journey.trainerToken, coarse));
  clock.advance(ms - 5_000);
  return journey;
}

/** After positions so many metres from the home, one every 5 s. */
async function aJourneyOver(...places: number[]): Promise<ASession> {
  const journey = await aJourney(service.api);
  for (const meters of places) {
    clock.advance(5_000);
    const body = { sessionId: journey.sessionId, ...metersNorth(meters) };
    await service.api.update(journey.trainerToken, body);
  }
  return journey;
}

const arrive = ({ sessionId, trainerToken }: ASession): Promise<Answer> =>
  service.api.arrived(sessionId, trainerToken);
const stop = ({ sessionId, trainerToken }: ASession): Promise<Answer> =>
  service.api.stop(sessionId, trainerToken);

async function goesOn({ sessionId, studentToken }: ASession): Promise<void> {
  expect(data(await service.api.live(sessionId, studentToken))).toMatchObject({ isActive: true });
  expect(await exists(keyOf.ended(sessionId))).toBe(false);
}

test.each([
  ['arrived', 'arrivedAt', 'arrived', { distance: 42 }],
  ['stop', 'stoppedAt', 'cancelled', {}],
] as const)(
  '%s answers its time, and later calls get that time and the reason',
  async (call, field, reason, more) => {
    const journey = await aJourneyAt(41.6);
    const { sessionId, trainerToken } = journey;
    clock.advance(2_000);
    const endedAt = new Date(clock.now()).toISOString();
    const answer = await service.api[call](sessionId, trainerToken);
    expect(answer.status).toBe(200);
    expect(data(answer)).toEqual({ sessionId, [field]: endedAt, ...more });
    clock.advance(1_000);
    const ended = { status: 410, code: 'JOURNEY_ENDED', details: { reason, endedAt } };
    expect([await arrive(journey), await stop(journey)].map(refusal)).toEqual([ended, ended]);
  },
);

test.each([
  ['149.99 m from the home', 149.99, {}, 150],
  ['with an accuracy of 100 m', 10, { accuracy: 100 }, 10],
])('an arrival %s is accepted', async (_what, meters, more, distance) => {
  expect(data(await arrive(await aJourneyAt(meters, more)))).toMatchObject({ distance });
});

test.each([
  [150.01, {}],
  [151, {}],
  [100_000, {}],
  [200, { accuracy: 100 }],
])('an arrival %d m from the home with %j is refused, and the journey goes on', async (meters, more) => {
  const journey = await aJourneyAt(meters, more);
  const { status, code, details } = refusal(await arrive(journey));
  expect({ status, code }).toEqual({ status: 400, code: 'NOT_AT_DESTINATION' });
  const { distance, maxDistance } = details as { distance: number; maxDistance: number };
  expect(maxDistance).toBe(150);
  expect(Math.abs(distance - meters)).toBeLessThanOrEqual(0.5 + meters * 1e-6);
  await goesOn(journey);
});

test.each<[what: string, aSuch: () => Promise<ASession>]>([
  ['any position', () => aJourney(service.api)],
  ['a precise position', () => aJourneyAt(10, { accuracy: 100.5 })],
  ['a precise position of the last 30 s', () => aJourneyBesideACoarse(30_001)],
  [
    'a fix of the last 5 minutes by its own age',
    async () => {
      const journey = await aJourneyAt(10, { ageMs: 200_000 });
      clock.advance(100_001);
      return journey;
    },
  ],
  ['a home', () => aJourneyAt(10, {}, { home: null })],
  [
    'a position that has not expired',
    async () => {
      const journey = await aJourneyAt(10);
      await sharedRedis().del(keyOf.location(journey.trainerId, journey.sessionId));
      return journey;
    },
  ],
])('an arrival without %s is LOCATION_UNKNOWN, and the journey goes on', async (_what, aSuch) => {
  const journey = await aSuch();
  expect(refusal(await arrive(journey))).toMatchObject({ status: 400, code: 'LOCATION_UNKNOWN' });
  await goesOn(journey);
});

test('a precise fix counts for 30 s beside a coarse one', async () => {
  expect(data(await arrive(await aJourneyBesideACoarse(30_000)))).toMatchObject({ distance: 40 });
});

describe('who jumps to the home', () => {
  const HOME_AGAIN = [0, 0, 0, 0];

  test('from a confirmed position arrives once 120 km/h would have sufficed', async () => {
    const journey = await aJourneyOver(3_000, 3_000, 3_000, ...HOME_AGAIN);
    for (const seconds of [0, 65]) {
      clock.advance(seconds * 1_000);
      expect(refusal(await arrive(journey))).toMatchObject({ status: 400, code: 'LOCATION_UNKNOWN' });
      await goesOn(journey);
    }
    clock.advance(5_001);
    expect((await arrive(journey)).status).toBe(200);
  });

  test('gains nothing by further positions there', async () => {
    const journey = await aJourneyOver(3_000, 3_000, 3_000, ...HOME_AGAIN, ...HOME_AGAIN);
    expect(refusal(await arrive(journey)).code).toBe('LOCATION_UNKNOWN');
  });

  test('from a position that was never confirmed may arrive', async () => {
    expect((await arrive(await aJourneyOver(90_000, ...HOME_AGAIN))).status).toBe(200);
  });
});

test.each(['arrived', 'stop'] as const)('%s before the start is JOURNEY_NOT_ACTIVE', async (call) => {
  const { sessionId, trainerToken } = await aSession();
  const answer = await service.api[call](sessionId, trainerToken);
  expect(refusal(answer)).toMatchObject({ status: 404, code: 'JOURNEY_NOT_ACTIVE' });
});

test('an arrival that was refused is accepted from a nearer position', async () => {
  const journey = await aJourneyAt(200);
  expect((await arrive(journey)).status).toBe(400);
  clock.advance(5_000);
  data(await service.api.update(journey.trainerToken, { sessionId: journey.sessionId, ...metersNorth(100) }));
  expect((await arrive(journey)).status).toBe(200);
});

test('the home at the start counts although the platform has changed it since', async () => {
  const journey = await aJourneyAt(10);
  await sessionsPool().query('update tutoring_sessions set student_home_location = null where id = $1', [
    journey.sessionId,
  ]);
  expect((await arrive(journey)).status).toBe(200);
});

test('an upper-case sessionId means the same session', async () => {
  const { sessionId, trainerToken } = await aJourneyAt(10);
  expect(data(await service.api.arrived(sessionId.toUpperCase(), trainerToken))).toMatchObject({ sessionId });
});

test.each([
  ['over the date line', { latitude: 0, longitude: 179.9999 }, { latitude: 0, longitude: -179.9999 }, 22],
  ['at the pole', { latitude: 90, longitude: 10 }, { latitude: 90, longitude: -120 }, 0],
])('a home %s is near', async (_where, home, position, distance) => {
  const journey = await aJourneyAt(0, position, { home });
  expect(data(await arrive(journey))).toMatchObject({ distance });
});

test('an admin may stop', async () => {
  const { sessionId, studentToken } = await aJourneyAt(20);
  expect((await service.api.stop(sessionId, await tokenFor(randomUUID(), 'admin'))).status).toBe(200);
  expect(data(await service.api.live(sessionId, studentToken))).toMatchObject({ endedReason: 'cancelled' });
});

test('a stop of an unknown session by an admin is JOURNEY_NOT_ACTIVE', async () => {
  const answer = await service.api.stop(randomUUID(), await tokenFor(randomUUID(), 'admin'));
  expect(refusal(answer)).toMatchObject({ status: 404, code: 'JOURNEY_NOT_ACTIVE' });
});

test('of an arrived and a stop at the same time exactly one wins, and the other, live and the event show it', async () => {
  const reasons = new Map<string, string>();
  for (let round = 0; round < 10; round++) {
    const journey = await aJourneyAt(20);
    const calls = [arrive, stop];
    const inOrder = round % 2 === 0 ? calls : calls.toReversed();
    const answers = await Promise.all(inOrder.map((call) => call(journey)));
    const [winner, loser] = answers.sort((a, b) => a.status - b.status) as [Answer, Answer];
    expect(winner.status).toBe(200);
    const reason = 'arrivedAt' in data(winner) ? 'arrived' : 'cancelled';
    expect(refusal(loser)).toMatchObject({ status: 410, code: 'JOURNEY_ENDED', details: { reason } });
    const live = data(await service.api.live(journey.sessionId, journey.studentToken));
    expect(live).toMatchObject({ isActive: false, endedReason: reason });
    reasons.set(journey.sessionId, reason);
  }
  const publishedReasons = (sessionId: string) =>
    service.eventsOf(sessionId).flatMap(({ detail }) => detail['reason'] ?? []);
  const ids = [...reasons.keys()];
  await until('the end of each', () => ids.every((id) => publishedReasons(id).length > 0));
  expect(ids.map(publishedReasons)).toEqual([...reasons.values()].map((reason) => [reason]));
});

test('an update at the same time as a stop leaves no location behind', async () => {
  for (let round = 0; round < 10; round++) {
    const journey = await aJourney(service.api);
    const { sessionId, trainerId, trainerToken } = journey;
    const update = () => service.api.update(trainerToken, { sessionId, ...metersNorth(20) });
    const [first, second] = round % 2 === 0 ? [update, () => stop(journey)] : [() => stop(journey), update];
    const statuses = await Promise.all([first(), second()]);
    expect(statuses.map(({ status }) => status)).toContain(200);
    expect(await exists(keyOf.location(trainerId, sessionId))).toBe(false);
  }
});

describe.each(['stop', 'arrived'] as const)('after the end by %s', (call) => {
  test('active, location and metadata are deleted from Redis, and a poll does not bring them back', async () => {
    const { sessionId, trainerId, trainerToken, studentToken } = await aJourneyAt(20);
    data(await service.api[call](sessionId, trainerToken));
    const gone = [keyOf.active(sessionId), keyOf.location(trainerId, sessionId), keyOf.meta(sessionId)];
    expect(await Promise.all(gone.map(exists))).toEqual([false, false, false]);
    expect(await exists(keyOf.ended(sessionId))).toBe(true);
    data(await service.api.live(sessionId, studentToken));
    expect(await Promise.all(gone.slice(0, 2).map(exists))).toEqual([false, false]);
  });

  test('no position is left anywhere in Redis', async () => {
    const home = { latitude: 12.9716, longitude: 77.5946 };
    const journey = await aJourney(service.api, { home });
    const { sessionId, trainerToken } = journey;
    const digits = ['971612345', '594687654'];
    const position = { latitude: 12.971612345, longitude: 77.594687654, accuracy: 7, sequence: 1 };
    data(await service.api.update(trainerToken, { sessionId, ...position }));
    data(await service.api[call](sessionId, trainerToken, { 'Idempotency-Key': randomUUID() }));
    await service.api.live(sessionId, journey.studentToken);
    for (const key of await keysLike('*')) {
      const content = `${key} ${await contentOf(key)}`;
      expect(digits.filter((part) => content.includes(part))).toEqual([]);
    }
  });
});
