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

const arrive = ({ sessionId, trainerToken }: ASession): Promise<Answer> =>
  service.api.arrived(sessionId, trainerToken);

async function goesOn({ sessionId, studentToken }: ASession): Promise<void> {
  expect(data(await service.api.live(sessionId, studentToken))).toMatchObject({ isActive: true });
  expect(await exists(keyOf.ended(sessionId))).toBe(false);
}
const stop = ({ sessionId, trainerToken }: ASession) => service.api.stop(sessionId, trainerToken);

test('an arrival answers when and how far from the home, in whole metres', async () => {
  const journey = await aJourneyAt(41.6);
  clock.advance(2_000);
  const answer = await arrive(journey);
  expect(answer.status).toBe(200);
  expect(data(answer)).toEqual({
    ...{ sessionId: journey.sessionId, distance: 42 },
    arrivedAt: new Date(clock.now()).toISOString(),
  });
});

test('149.99 m away is near enough', async () => {
  expect(data(await arrive(await aJourneyAt(149.99)))).toMatchObject({ distance: 150 });
});

test.each([150.01, 151, 100_000])('%d m away is too far, and the journey goes on', async (meters) => {
  const journey = await aJourneyAt(meters);
  const { status, code, details } = refusal(await arrive(journey));
  expect({ status, code }).toEqual({ status: 400, code: 'NOT_AT_DESTINATION' });
  expect(details).toEqual({ distance: expect.any(Number) as number, maxDistance: 150 });
  expect(Math.abs((details as { distance: number }).distance - meters)).toBeLessThanOrEqual(
    0.5 + meters * 1e-6,
  );
  await goesOn(journey);
});

test('the accuracy of a position does not bring it nearer', async () => {
  expect(refusal(await arrive(await aJourneyAt(200, { accuracy: 100 })))).toMatchObject({
    code: 'NOT_AT_DESTINATION',
  });
});

test('who was too far can arrive when he is near', async () => {
  const journey = await aJourneyAt(200);
  expect((await arrive(journey)).status).toBe(400);
  clock.advance(5_000);
  data(await service.api.update(journey.trainerToken, { sessionId: journey.sessionId, ...metersNorth(100) }));
  expect((await arrive(journey)).status).toBe(200);
});

test('without any position the arrival is not known, and the journey goes on', async () => {
  const journey = await aJourney(service.api);
  expect(refusal(await arrive(journey))).toMatchObject({ status: 400, code: 'LOCATION_UNKNOWN' });
  await goesOn(journey);
});

test('with a coarse position only the arrival is not known', async () => {
  const journey = await aJourneyAt(10, { accuracy: 100.5 });
  expect(refusal(await arrive(journey))).toMatchObject({ status: 400, code: 'LOCATION_UNKNOWN' });
  await goesOn(journey);
});

test('a position of 100 m accuracy is not coarse', async () => {
  expect((await arrive(await aJourneyAt(10, { accuracy: 100 }))).status).toBe(200);
});

test('for a session without a home the arrival is not known', async () => {
  const journey = await aJourneyAt(10, {}, { home: null });
  expect(refusal(await arrive(journey))).toMatchObject({ status: 400, code: 'LOCATION_UNKNOWN' });
  await goesOn(journey);
});

test('with a position that has expired the arrival is not known', async () => {
  const journey = await aJourneyAt(10);
  await sharedRedis().del(keyOf.location(journey.trainerId, journey.sessionId));
  expect(refusal(await arrive(journey))).toMatchObject({ status: 400, code: 'LOCATION_UNKNOWN' });
});

test('an admin may not arrive', async () => {
  const journey = await aJourneyAt(10);
  const answer = await service.api.arrived(journey.sessionId, await tokenFor(randomUUID(), 'admin'));
  expect(refusal(answer)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  await goesOn(journey);
});

test('an arrival before the start finds no journey', async () => {
  const answer = await arrive(await aSession());
  expect(refusal(answer)).toMatchObject({ status: 404, code: 'JOURNEY_NOT_ACTIVE' });
});

test('a second arrival gets the reason and the time of the first', async () => {
  const journey = await aJourneyAt(10);
  const { arrivedAt } = data(await arrive(journey));
  clock.advance(1_000);
  expect(refusal(await arrive(journey))).toEqual({
    status: 410,
    code: 'JOURNEY_ENDED',
    details: { reason: 'arrived', endedAt: arrivedAt },
  });
});

test('an arrival after a stop gets the reason cancelled', async () => {
  const journey = await aJourneyAt(10);
  data(await service.api.stop(journey.sessionId, journey.trainerToken));
  expect(refusal(await arrive(journey))).toMatchObject({ status: 410, details: { reason: 'cancelled' } });
});

test('the home of the start counts, also where the platform changes it on the way', async () => {
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

test('a stop answers when', async () => {
  const journey = await aJourney(service.api);
  clock.advance(2_000);
  const answer = await stop(journey);
  expect(answer.status).toBe(200);
  expect(data(answer)).toEqual({
    sessionId: journey.sessionId,
    stoppedAt: new Date(clock.now()).toISOString(),
  });
});

test('an admin may stop', async () => {
  const { sessionId, studentToken } = await aJourneyAt(20);
  expect((await service.api.stop(sessionId, await tokenFor(randomUUID(), 'admin'))).status).toBe(200);
  expect(data(await service.api.live(sessionId, studentToken))).toMatchObject({ endedReason: 'cancelled' });
});

test('a stop before the start finds no journey', async () => {
  expect(refusal(await stop(await aSession()))).toMatchObject({ status: 404, code: 'JOURNEY_NOT_ACTIVE' });
});

test('an admin finds no journey of a session that nobody knows', async () => {
  const answer = await service.api.stop(randomUUID(), await tokenFor(randomUUID(), 'admin'));
  expect(refusal(answer)).toMatchObject({ status: 404, code: 'JOURNEY_NOT_ACTIVE' });
});

test('a second stop gets the reason and the time of the first', async () => {
  const journey = await aJourney(service.api);
  const { stoppedAt } = data(await stop(journey));
  clock.advance(1_000);
  expect(refusal(await stop(journey))).toEqual({
    status: 410,
    code: 'JOURNEY_ENDED',
    details: { reason: 'cancelled', endedAt: stoppedAt },
  });
});

test('of 50 simultaneous stops one wins', async () => {
  const journey = await aJourney(service.api);
  const answers = await Promise.all(Array.from({ length: 50 }, () => stop(journey)));
  const statuses = answers.map(({ status }) => status).sort();
  expect(statuses).toEqual([200, ...Array.from({ length: 49 }, () => 410)]);
});

test('of an arrived and a stop at the same time exactly one wins, and the other, live and the event show it', async () => {
  const journeys: { journey: ASession; reason: string }[] = [];
  for (let round = 0; round < 10; round++) {
    const journey = await aJourneyAt(20);
    const calls = ['arrived', 'stop'] as const;
    const inOrder = round % 2 === 0 ? calls : calls.toReversed();
    const answers = await Promise.all(
      inOrder.map(async (call) => ({
        call,
        answer: await service.api[call](journey.sessionId, journey.trainerToken),
      })),
    );
    const winners = answers.filter(({ answer }) => answer.status === 200);
    expect(winners).toHaveLength(1);
    const reason = winners[0]?.call === 'arrived' ? 'arrived' : 'cancelled';
    const loser = answers.find(({ answer }) => answer.status !== 200);
    expect(loser && refusal(loser.answer)).toMatchObject({
      status: 410,
      code: 'JOURNEY_ENDED',
      details: { reason },
    });
    const live = data(await service.api.live(journey.sessionId, journey.studentToken));
    expect(live).toMatchObject({ isActive: false, endedReason: reason });
    journeys.push({ journey, reason });
  }
  const endsOf = ({ journey }: { journey: ASession }) =>
    service.eventsOf(journey.sessionId).filter((event) => event.detailType === 'TrainerJourneyEnded');
  await until('the end of each', () => journeys.every((each) => endsOf(each).length > 0));
  for (const each of journeys)
    expect(endsOf(each).map(({ detail }) => detail['reason'])).toEqual([each.reason]);
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
  test('active, location and metadata are gone from Redis', async () => {
    const { sessionId, trainerId, trainerToken } = await aJourneyAt(20);
    data(await service.api[call](sessionId, trainerToken));
    const gone = [keyOf.active(sessionId), keyOf.location(trainerId, sessionId), keyOf.meta(sessionId)];
    expect(await Promise.all(gone.map(exists))).toEqual([false, false, false]);
    expect(await exists(keyOf.ended(sessionId))).toBe(true);
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

  test('a poll brings neither of them back', async () => {
    const { sessionId, trainerId, trainerToken, studentToken } = await aJourneyAt(20);
    data(await service.api[call](sessionId, trainerToken));
    data(await service.api.live(sessionId, studentToken));
    const gone = [keyOf.active(sessionId), keyOf.location(trainerId, sessionId)];
    expect(await Promise.all(gone.map(exists))).toEqual([false, false]);
  });
});
