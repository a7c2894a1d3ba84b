import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import { aSession, metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { MovableClock } from '../support/movable-clock.js';
import { contentOf, exists, keyOf, sharedRedis } from '../support/redis-of-the-run.js';
import { runService, type RunningService } from '../support/running-service.js';
import { tokenFor } from '../support/tokens.js';

const clock = new MovableClock();
let service: RunningService;
let journey: ASession;
beforeAll(async () => {
  service = await runService({ clock: clock.now });
});
afterAll(() => service.stop());
beforeEach(async () => {
  journey = await aJourney(service.api);
});

const post = (more: object) =>
  service.api.update(journey.trainerToken, { sessionId: journey.sessionId, ...metersNorth(500), ...more });
const live = async () => data(await service.api.live(journey.sessionId, journey.studentToken));
const iso = (ms: number) => new Date(ms).toISOString();

/** 5 s later, so that the rate has nothing against it. */
function postNext(more: object) {
  clock.advance(5_000);
  return post(more);
}

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

describe('the order of the checks', () => {
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

  test('an update after the end gets the reason and the time of the end', async () => {
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
});

describe('a duplicate', () => {
  test('gets the first answer again', async () => {
    const first = await post({ sequence: 3 });
    expect(data(first)).toEqual({
      ...{ sessionId: journey.sessionId, ttl: 300, nextUpdateMs: 5000 },
      timestamp: iso(clock.now()),
    });
    for (const laterMs of [0, 4_000, 60_000]) {
      clock.advance(laterMs);
      const again = await post({ sequence: 3 });
      expect([again.status, again.body]).toEqual([201, first.body]);
    }
  });

  test('writes nothing', async () => {
    data(await post({ sequence: 3 }));
    const location = keyOf.location(journey.trainerId, journey.sessionId);
    const before = await contentOf(location);
    await sharedRedis().expire(location, 100);
    data(await postNext({ sequence: 3, ...metersNorth(510) }));
    expect(await contentOf(location)).toBe(before);
    expect(await sharedRedis().ttl(location)).toBeLessThanOrEqual(100);
  });

  test('gets the first answer again also when the location has expired, and writes none', async () => {
    const first = await post({ sequence: 3 });
    const location = keyOf.location(journey.trainerId, journey.sessionId);
    await sharedRedis().del(location);
    const again = await postNext({ sequence: 3 });
    expect([again.status, again.body]).toEqual([201, first.body]);
    expect(await exists(location)).toBe(false);
  });

  test('of the sequence 0 is one too', async () => {
    const first = await post({ sequence: 0 });
    expect((await postNext({ sequence: 0 })).body).toEqual(first.body);
  });

  test('is only the last accepted position, not one that was refused', async () => {
    data(await post({ sequence: 1 }));
    expect((await postNext({ sequence: 2, ...metersNorth(90_000) })).status).toBe(400);
    expect(data(await postNext({ sequence: 2 }))).toMatchObject({ timestamp: iso(clock.now()) });
  });

  test('is of one journey: the same sequence in the next one is a new position', async () => {
    data(await post({ sequence: 1 }));
    data(await service.api.stop(journey.sessionId, journey.trainerToken));
    data(await service.api.start(journey.sessionId, journey.trainerToken));
    expect(data(await postNext({ sequence: 1 }))).toMatchObject({ timestamp: iso(clock.now()) });
  });
});

describe('the sequence', () => {
  test('lower than the last accepted one is stale, and nothing is written', async () => {
    data(await post({ sequence: 12 }));
    const before = await live();
    const answer = await postNext({ sequence: 11, ...metersNorth(490) });
    expect(refusal(answer)).toEqual({ status: 409, code: 'LOCATION_STALE', details: { lastSequence: 12 } });
    expect((await live())['location']).toEqual(before['location']);
  });

  test('may leave gaps', async () => {
    for (const sequence of [0, 1, 10, 1_000_000, Number.MAX_SAFE_INTEGER - 1]) {
      expect((await postNext({ sequence })).status).toBe(201);
    }
  });

  test('is exact up to 2^53-1', async () => {
    data(await post({ sequence: Number.MAX_SAFE_INTEGER }));
    const answer = await postNext({ sequence: Number.MAX_SAFE_INTEGER - 1 });
    expect(refusal(answer)).toMatchObject({
      status: 409,
      details: { lastSequence: Number.MAX_SAFE_INTEGER },
    });
  });

  test('is still known after a position without one', async () => {
    data(await post({ sequence: 12 }));
    data(await postNext({}));
    expect(refusal(await postNext({ sequence: 11 }))).toMatchObject({ code: 'LOCATION_STALE' });
  });

  test('is still known when the location has expired', async () => {
    data(await post({ sequence: 12 }));
    await sharedRedis().del(keyOf.location(journey.trainerId, journey.sessionId));
    expect(refusal(await postNext({ sequence: 11 }))).toMatchObject({ code: 'LOCATION_STALE' });
  });

  test('of a coarse position counts', async () => {
    data(await post({ sequence: 12, accuracy: 500 }));
    expect(refusal(await postNext({ sequence: 11 }))).toMatchObject({ code: 'LOCATION_STALE' });
  });

  test('of a refused position does not count', async () => {
    data(await post({ sequence: 1 }));
    expect((await postNext({ sequence: 50, ...metersNorth(90_000) })).status).toBe(400);
    expect((await postNext({ sequence: 2 })).status).toBe(201);
  });
});

describe('the age of a fix', () => {
  test('dates it: live shows the age since the fix, and the timestamp of its coming', async () => {
    data(await post({ ageMs: 4_000 }));
    const cameAt = iso(clock.now());
    clock.advance(1_500);
    expect(await live()).toMatchObject({ ageMs: 5_500, lastUpdate: cameAt, location: { timestamp: cameAt } });
  });

  test('of 5 minutes is taken', async () => {
    expect((await post({ ageMs: 300_000 })).status).toBe(201);
  });

  test.each([300_001, Number.MAX_SAFE_INTEGER])('of %d ms is stale', async (ageMs) => {
    expect(refusal(await post({ ageMs }))).toMatchObject({ status: 409, code: 'LOCATION_STALE' });
    expect(await live()).toMatchObject({ location: null });
  });

  test('is stale where it is older than the last accepted fix', async () => {
    data(await post({}));
    expect(refusal(await postNext({ ageMs: 5_001 }))).toMatchObject({ status: 409, code: 'LOCATION_STALE' });
  });

  test('is compared fix with fix, not with the time when the last one came', async () => {
    data(await post({ ageMs: 30_000 }));
    expect((await postNext({ ageMs: 20_000 })).status).toBe(201);
    expect(refusal(await postNext({ ageMs: 25_001 }))).toMatchObject({ code: 'LOCATION_STALE' });
  });

  test('may be that of the last accepted fix where the place is the same', async () => {
    data(await post({}));
    expect((await postNext({ ageMs: 5_000 })).status).toBe(201);
  });

  test('counts for a rising sequence too: a higher one with an older fix is stale', async () => {
    data(await post({ sequence: 1 }));
    const answer = await postNext({ sequence: 2, ageMs: 5_001 });
    expect(refusal(answer)).toMatchObject({ status: 409, code: 'LOCATION_STALE' });
  });

  test('of a refused position does not count', async () => {
    data(await post({ ageMs: 60_000 }));
    expect((await postNext(metersNorth(90_000))).status).toBe(400);
    expect((await postNext({ ageMs: 20_000 })).status).toBe(201);
  });
});
