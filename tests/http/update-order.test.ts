import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import { aSession, metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { MovableClock } from '../support/movable-clock.js';
import { runService, type RunningService } from '../support/running-service.js';
import { tokenFor } from '../support/tokens.js';

const clock = new MovableClock();
let service: RunningService;
beforeAll(async () => {
  service = await runService({ clock: clock.now });
});
afterAll(() => service.stop());

/** A journey whose last accepted position is of the sequence 5, at a place and a time that the next is judged by. */
async function aJourneyAt5(): Promise<ASession> {
  const journey = await aJourney(service.api);
  data(
    await service.api.update(journey.trainerToken, {
      sessionId: journey.sessionId,
      ...metersNorth(500),
      sequence: 5,
    }),
  );
  return journey;
}

const farAway = metersNorth(500_000);

test('the token comes before the body', async () => {
  expect(refusal(await service.api.update('no token', '{'))).toMatchObject({ status: 401 });
});

test('the role comes before the body', async () => {
  const { studentToken } = await aSession();
  expect(refusal(await service.api.update(studentToken, '{'))).toMatchObject({
    status: 403,
    code: 'FORBIDDEN',
  });
});

test('the body comes before the journey', async () => {
  const { sessionId, trainerToken } = await aSession();
  const answer = await service.api.update(trainerToken, { sessionId, latitude: 91, longitude: 0 });
  expect(refusal(answer)).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
});

test('an update before the start finds no journey', async () => {
  const { sessionId, trainerToken } = await aSession();
  const answer = await service.api.update(trainerToken, { sessionId, ...metersNorth(1) });
  expect(refusal(answer)).toMatchObject({ status: 404, code: 'JOURNEY_NOT_ACTIVE' });
});

test('an update of a session that nobody knows finds no journey', async () => {
  const token = await tokenFor(randomUUID(), 'trainer');
  const answer = await service.api.update(token, { sessionId: randomUUID(), ...metersNorth(1) });
  expect(refusal(answer)).toMatchObject({ status: 404, code: 'JOURNEY_NOT_ACTIVE' });
});

test('an update after the end is told the reason and the time of the end', async () => {
  const { sessionId, trainerToken } = await aJourneyAt5();
  const { stoppedAt } = data(await service.api.stop(sessionId, trainerToken));
  clock.advance(5_000);
  const answer = await service.api.update(trainerToken, { sessionId, ...metersNorth(500), sequence: 6 });
  expect(refusal(answer)).toEqual({
    status: 410,
    code: 'JOURNEY_ENDED',
    details: { reason: 'cancelled', endedAt: stoppedAt },
  });
});

test('a duplicate of the last position is not taken after the end', async () => {
  const { sessionId, trainerToken } = await aJourneyAt5();
  data(await service.api.stop(sessionId, trainerToken));
  const answer = await service.api.update(trainerToken, { sessionId, ...metersNorth(500), sequence: 5 });
  expect(refusal(answer)).toMatchObject({ status: 410, code: 'JOURNEY_ENDED' });
});

test('an update by another trainer is refused as FORBIDDEN', async () => {
  const { sessionId } = await aJourneyAt5();
  clock.advance(5_000);
  const token = await tokenFor(randomUUID(), 'trainer');
  const answer = await service.api.update(token, { sessionId, ...metersNorth(500), sequence: 6 });
  expect(refusal(answer)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
});

test.each([
  ['a duplicate', { sequence: 5 }],
  ['stale', { sequence: 4 }],
  ['implausible', farAway],
])('the owner comes before what is %s', async (_what, extra) => {
  const { sessionId } = await aJourneyAt5();
  const token = await tokenFor(randomUUID(), 'trainer');
  const answer = await service.api.update(token, { sessionId, ...metersNorth(500), ...extra });
  expect(refusal(answer)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
});

test('a duplicate comes before the fix that is too old', async () => {
  const { sessionId, trainerToken } = await aJourneyAt5();
  const body = { sessionId, ...metersNorth(500), sequence: 5, ageMs: 400_000 };
  expect((await service.api.update(trainerToken, body)).status).toBe(201);
});

test('a duplicate comes before the rate', async () => {
  const { sessionId, trainerToken } = await aJourneyAt5();
  expect(
    (await service.api.update(trainerToken, { sessionId, ...metersNorth(500), sequence: 5 })).status,
  ).toBe(201);
});

test('a duplicate comes before plausibility', async () => {
  const { sessionId, trainerToken } = await aJourneyAt5();
  clock.advance(5_000);
  expect((await service.api.update(trainerToken, { sessionId, ...farAway, sequence: 5 })).status).toBe(201);
});

test('stale comes before the rate', async () => {
  const { sessionId, trainerToken } = await aJourneyAt5();
  const answer = await service.api.update(trainerToken, { sessionId, ...metersNorth(500), sequence: 4 });
  expect(refusal(answer)).toMatchObject({ status: 409, code: 'LOCATION_STALE' });
});

test('stale comes before plausibility', async () => {
  const { sessionId, trainerToken } = await aJourneyAt5();
  clock.advance(5_000);
  const answer = await service.api.update(trainerToken, { sessionId, ...farAway, sequence: 4 });
  expect(refusal(answer)).toMatchObject({ status: 409, code: 'LOCATION_STALE' });
});

test('the rate comes before plausibility', async () => {
  const { sessionId, trainerToken } = await aJourneyAt5();
  const answer = await service.api.update(trainerToken, { sessionId, ...farAway, sequence: 6 });
  expect(refusal(answer)).toMatchObject({ status: 429, code: 'RATE_LIMITED' });
});
