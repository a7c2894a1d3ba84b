import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import { aSession, metersNorth, sessionsPool, type ASession } from '../support/a-session.js';
import { data, refusal, type Answer } from '../support/api.js';
import { MovableClock } from '../support/movable-clock.js';
import { exists, keyOf } from '../support/redis-of-the-run.js';
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
  const forgetful = await runService({ settings: { LOCATION_TTL_SECONDS: '1' } });
  try {
    const journey = await aJourney(forgetful.api);
    const { sessionId, trainerId, trainerToken } = journey;
    data(await forgetful.api.update(trainerToken, { sessionId, ...metersNorth(10) }));
    await until('the location is gone', async () => !(await exists(keyOf.location(trainerId, sessionId))));
    const answer = await forgetful.api.arrived(sessionId, trainerToken);
    expect(refusal(answer)).toMatchObject({ status: 400, code: 'LOCATION_UNKNOWN' });
  } finally {
    await forgetful.stop();
  }
});

test('an arrival by another trainer is refused as FORBIDDEN, and the journey goes on', async () => {
  const journey = await aJourneyAt(10);
  const answer = await service.api.arrived(journey.sessionId, await tokenFor(randomUUID(), 'trainer'));
  expect(refusal(answer)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  await goesOn(journey);
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

test('a second arrival is told the reason and the time of the first', async () => {
  const journey = await aJourneyAt(10);
  const { arrivedAt } = data(await arrive(journey));
  clock.advance(1_000);
  expect(refusal(await arrive(journey))).toEqual({
    status: 410,
    code: 'JOURNEY_ENDED',
    details: { reason: 'arrived', endedAt: arrivedAt },
  });
});

test('an arrival after a stop is told that it was cancelled', async () => {
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
