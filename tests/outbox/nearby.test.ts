import { aJourney } from '../support/a-journey.js';
import { aSession, metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal, type Answer, problemsByOpenApi } from '../support/api.js';
import type { RunningService } from '../support/running-service.js';
import { EVENT_ID, TwoServices } from '../support/two-services.js';
import { OFTEN } from '../support/waiting-polls.js';

let services: TwoServices;
beforeAll(async () => {
  services = await TwoServices.start();
});
afterAll(() => services.stop());

/** Reports a position at this distance from home, two minutes after the previous one. */
async function at(
  { sessionId, trainerToken }: ASession,
  meters: number,
  more: object = {},
  service: RunningService = services.one,
): Promise<Answer> {
  services.clock.advance(120_000);
  return service.api.update(trainerToken, { sessionId, ...metersNorth(meters), ...more });
}

/** Three positions in a row confirm the last. */
async function confirmedAt(session: ASession, meters: number, more: object = {}, service = services.one) {
  data(await at(session, meters, {}, service));
  data(await at(session, meters, {}, service));
  return data(await at(session, meters, more, service));
}

async function timesPublished({ sessionId }: ASession): Promise<number> {
  await services.everythingTold();
  return services.eventsOf(sessionId, 'TrainerNearby').length;
}

test('a trainer within 500 m of the home is published with exactly the fields of contract and OpenAPI', async () => {
  const session = await aJourney(services.one.api);
  for (const meters of [2_000, 1_000]) data(await at(session, meters));
  const { timestamp } = data(await at(session, 400, { accuracy: 10 }));
  const [event] = await services.told(session.sessionId, 'TrainerNearby');
  expect(event).toMatchObject({ bus: 'application-events', source: 'admin-service' });
  expect(event?.detail).toEqual({
    eventId: expect.stringMatching(EVENT_ID) as string,
    trainerId: session.trainerId,
    studentId: session.studentId,
    sessionId: session.sessionId,
    time: timestamp,
    distanceMeters: 400,
  });
  expect(event && (await problemsByOpenApi(services.one.url, event))).toBeNull();
});

describe('it is published once per journey', () => {
  test('when the trainer leaves and comes back', async () => {
    const session = await aJourney(services.one.api);
    for (const meters of [600, 450, 900, 300, 2_000, 100]) data(await at(session, meters));
    expect(await timesPublished(session)).toBe(1);
  });

  test('by two processes that record many positions at once', async () => {
    const often = [await services.another(OFTEN), await services.another(OFTEN)];
    const session = await aJourney(services.one.api);
    const position = { sessionId: session.sessionId, ...metersNorth(300) };
    const twenty = Array<undefined>(20).fill(undefined);
    const updates = often.flatMap(({ api }) => twenty.map(() => api.update(session.trainerToken, position)));
    const statuses = (await Promise.all(updates)).map(({ status }) => status);
    expect(statuses).toEqual(Array<number>(40).fill(201));
    expect(await timesPublished(session)).toBe(1);
  });

  test('also when the location of the first position inside has expired', async () => {
    const session = await aJourney(services.one.api);
    await confirmedAt(session, 400);
    await services.redis.del(`location:trainer:${session.trainerId}:session:${session.sessionId}`);
    data(await at(session, 300));
    expect(await timesPublished(session)).toBe(1);
  });

  test('and again, with another id, in a new journey of the session', async () => {
    const session = await aJourney(services.one.api);
    await confirmedAt(session, 400);
    data(await services.one.api.stop(session.sessionId, session.trainerToken));
    data(await services.one.api.start(session.sessionId, session.trainerToken));
    await confirmedAt(session, 400);
    expect(await timesPublished(session)).toBe(2);
    const ids = services.eventsOf(session.sessionId).map(({ detail }) => detail['eventId']);
    expect(new Set(ids).size).toBe(5);
  });
});

describe('it is not published', () => {
  test.each([
    ['for a position outside', 510, {}],
    ['for a position that may be outside given its accuracy', 450, { accuracy: 60 }],
    ['for a coarse position', 50, { accuracy: 101 }],
    ['for a position outside with accuracy -30 (unknown)', 502, { accuracy: -30 }],
  ])('%s', async (_name, meters, more) => {
    const session = await aJourney(services.one.api);
    await confirmedAt(session, 3_000);
    data(await at(session, meters, more));
    expect(await timesPublished(session)).toBe(0);
  });

  test.each([
    ['that is stale', 3_000, { sequence: 4 }, 'LOCATION_STALE'],
    ['that is simulated', 3_000, { mocked: true }, 'LOCATION_MOCKED'],
    ['that is invalid', 3_000, { latitude: 'near' }, 'VALIDATION_FAILED'],
    ['that is implausible', 90_000, {}, 'LOCATION_IMPLAUSIBLE'],
  ])('for a position %s', async (_name, fromMeters, more, code) => {
    const session = await aJourney(services.one.api);
    await confirmedAt(session, fromMeters, { sequence: 5 });
    expect(refusal(await at(session, 100, { sequence: 6, ...more })).code).toBe(code);
    expect(await timesPublished(session)).toBe(0);
  });

  test('for a position that comes too early', async () => {
    const session = await aJourney(services.one.api);
    await confirmedAt(session, 520);
    const { sessionId, trainerToken } = session;
    const early = await services.one.api.update(trainerToken, { sessionId, ...metersNorth(495) });
    expect(refusal(early).code).toBe('RATE_LIMITED');
    expect(await timesPublished(session)).toBe(0);
  });

  test('for a position that two more do not confirm', async () => {
    const session = await aJourney(services.one.api);
    data(await at(session, 20));
    data(await at(session, 20));
    for (let tries = 0; tries < 3; tries++) refusal(await at(session, 60_000 + tries));
    expect(await timesPublished(session)).toBe(0);
  });

  test('for one that nobody can have come to in time, until the time suffices', async () => {
    const session = await aJourney(services.one.api);
    await confirmedAt(session, 60_000);
    for (let tries = 0; tries < 10; tries++) await at(session, 50);
    expect(await timesPublished(session)).toBe(0);
    for (let tries = 0; tries < 6; tries++) await at(session, 50);
    expect(await timesPublished(session)).toBe(1);
  });

  test("for somebody else's position", async () => {
    const [session, other] = [await aJourney(services.one.api), await aSession()];
    const answer = await at({ ...session, trainerToken: other.trainerToken }, 100);
    expect(refusal(answer).code).toBe('FORBIDDEN');
    expect(await timesPublished(session)).toBe(0);
  });

  test('for a session without a home', async () => {
    const session = await aJourney(services.one.api, { home: null });
    await confirmedAt(session, 10);
    expect(await timesPublished(session)).toBe(0);
  });

  test('with TRAINER_NEARBY_EVENTS=false', async () => {
    const silent = await services.another({ TRAINER_NEARBY_EVENTS: 'false' });
    const session = await aJourney(silent.api);
    await confirmedAt(session, 50, {}, silent);
    expect(await timesPublished(session)).toBe(0);
  });
});

describe('it is published', () => {
  test.each([
    ['for the third position of a journey', 450, {}],
    ['for a position that is inside given its accuracy', 430, { accuracy: 60 }],
    ['for a position that is just not coarse', 390, { accuracy: 100 }],
    ['for a position of unknown accuracy', 490, { accuracy: null }],
  ])('%s', async (_name, meters, more) => {
    const session = await aJourney(services.one.api);
    for (const farther of [700, 600]) data(await at(session, farther));
    data(await at(session, meters, more));
    const [event] = await services.told(session.sessionId, 'TrainerNearby');
    expect(event?.detail).toMatchObject({ distanceMeters: meters });
  });

  test('for the next precise position after a coarse and an uncertain one', async () => {
    const session = await aJourney(services.one.api);
    for (const accuracy of [90, 500, 90]) data(await at(session, 480, { accuracy }));
    data(await at(session, 480, { accuracy: 5 }));
    const [event] = await services.told(session.sessionId, 'TrainerNearby');
    expect(event?.detail).toMatchObject({ distanceMeters: 480 });
  });

  test('within the radius of NEARBY_RADIUS_METERS', async () => {
    const wide = await services.another({ NEARBY_RADIUS_METERS: '1000' });
    const session = await aJourney(wide.api);
    await confirmedAt(session, 1_010, {}, wide);
    expect(await timesPublished(session)).toBe(0);
    data(await at(session, 990, {}, wide));
    expect(await timesPublished(session)).toBe(1);
  });
});
