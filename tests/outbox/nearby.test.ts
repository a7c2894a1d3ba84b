import { readConfig } from '../../src/config.js';
import { events } from '../../src/contract/events.js';
import { aJourney } from '../support/a-journey.js';
import { aSession, metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal, type Answer } from '../support/api.js';
import type { RunningService } from '../support/running-service.js';
import { testEnvironment } from '../support/service-settings.js';
import { EVENT_ID, problemsByOpenApi, TwoServices } from '../support/two-services.js';
import { OFTEN } from '../support/waiting-polls.js';

let services: TwoServices;
beforeAll(async () => {
  services = await TwoServices.start();
});
afterAll(() => services.stop());

/** A position so many metres from home, with time enough since the one before to have come from anywhere near. */
async function at(
  { sessionId, trainerToken }: ASession,
  meters: number,
  more: object = {},
  service: RunningService = services.one,
): Promise<Answer> {
  services.clock.advance(120_000);
  return service.api.update(trainerToken, { sessionId, ...metersNorth(meters), ...more });
}

/** How often it was told of this session's journeys that the trainer is near. */
async function timesTold({ sessionId }: ASession): Promise<number> {
  await services.everythingTold();
  return services.eventsOf(sessionId, 'TrainerNearby').length;
}

test('a trainer who comes within 500 m of the home is told of with exactly the fields of the contract', async () => {
  const session = await aJourney(services.one.api);
  data(await at(session, 2_000));
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
});

test('the detail is of the form that the schema and the OpenAPI document promise', async () => {
  const session = await aJourney(services.one.api);
  data(await at(session, 123.4));
  const [event] = await services.told(session.sessionId, 'TrainerNearby');
  if (event === undefined) throw new Error('no event');
  events.TrainerNearby.strict().parse(event.detail);
  expect(await problemsByOpenApi(services.one.url, event)).toBeNull();
});

test('it is told beside the start and the end, each once', async () => {
  const session = await aJourney(services.one.api);
  data(await at(session, 20));
  data(await services.one.api.arrived(session.sessionId, session.trainerToken));
  await services.everythingTold();
  expect(services.eventsOf(session.sessionId).map(({ detailType }) => detailType)).toEqual([
    'TrainerJourneyEnded',
    'TrainerJourneyStarted',
    'TrainerNearby',
  ]);
});

describe('it is told once a journey', () => {
  test('with twenty positions inside', async () => {
    const session = await aJourney(services.one.api);
    for (let meters = 400; meters > 0; meters -= 20) data(await at(session, meters));
    expect(await timesTold(session)).toBe(1);
  });

  test('when the trainer leaves and comes back', async () => {
    const session = await aJourney(services.one.api);
    for (const meters of [600, 450, 900, 300, 2_000, 100]) data(await at(session, meters));
    expect(await timesTold(session)).toBe(1);
  });

  test('by two processes that take the positions in turn', async () => {
    const session = await aJourney(services.one.api);
    for (let meters = 400; meters > 200; meters -= 40) {
      data(await at(session, meters, {}, services.one));
      data(await at(session, meters - 20, {}, services.other));
    }
    expect(await timesTold(session)).toBe(1);
  });

  test('by two processes that take many positions at once', async () => {
    const often = [await services.another(OFTEN), await services.another(OFTEN)];
    const session = await aJourney(services.one.api);
    const position = { sessionId: session.sessionId, ...metersNorth(300) };
    const twenty = Array<undefined>(20).fill(undefined);
    const updates = often.flatMap(({ api }) => twenty.map(() => api.update(session.trainerToken, position)));
    const statuses = (await Promise.all(updates)).map(({ status }) => status);
    expect(statuses).toEqual(Array<number>(40).fill(201));
    expect(await timesTold(session)).toBe(1);
  });

  test('also when the location of the first position inside has expired', async () => {
    const session = await aJourney(services.one.api);
    data(await at(session, 400));
    await services.redis.del(`location:trainer:${session.trainerId}:session:${session.sessionId}`);
    data(await at(session, 300));
    expect(await timesTold(session)).toBe(1);
  });

  test('and again in a new journey of the same session, with another id', async () => {
    const session = await aJourney(services.one.api);
    data(await at(session, 400));
    data(await services.one.api.stop(session.sessionId, session.trainerToken));
    data(await services.one.api.start(session.sessionId, session.trainerToken));
    data(await at(session, 400));
    expect(await timesTold(session)).toBe(2);
    const ids = services.eventsOf(session.sessionId).map(({ detail }) => detail['eventId']);
    expect(new Set(ids).size).toBe(5);
  });
});

describe('it is not told', () => {
  test.each([
    ['of a position outside', 510, {}],
    ['of a position that may as well be outside', 450, { accuracy: 60 }],
    ['of a coarse position', 50, { accuracy: 101 }],
    ['of a position outside whose accuracy is unknown in the way of a phone', 502, { accuracy: -30 }],
  ])('%s', async (_name, meters, more) => {
    const session = await aJourney(services.one.api);
    data(await at(session, 3_000));
    data(await at(session, meters, more));
    expect(await timesTold(session)).toBe(0);
  });

  test.each([
    ['that is stale', { sequence: 4 }, 'LOCATION_STALE'],
    ['that is simulated', { mocked: true }, 'LOCATION_MOCKED'],
    ['of no form', { latitude: 'near' }, 'VALIDATION_FAILED'],
  ])('of a position %s', async (_name, more, code) => {
    const session = await aJourney(services.one.api);
    data(await at(session, 3_000, { sequence: 5 }));
    expect(refusal(await at(session, 100, { sequence: 6, ...more })).code).toBe(code);
    expect(await timesTold(session)).toBe(0);
  });

  test('of a position that is implausible', async () => {
    const session = await aJourney(services.one.api);
    data(await at(session, 90_000));
    expect(refusal(await at(session, 100)).code).toBe('LOCATION_IMPLAUSIBLE');
    expect(await timesTold(session)).toBe(0);
  });

  test('of a position that comes too early', async () => {
    const { sessionId, trainerToken, ...rest } = await aJourney(services.one.api);
    data(await services.one.api.update(trainerToken, { sessionId, ...metersNorth(520) }));
    const early = await services.one.api.update(trainerToken, { sessionId, ...metersNorth(495) });
    expect(refusal(early).code).toBe('RATE_LIMITED');
    expect(await timesTold({ sessionId, trainerToken, ...rest })).toBe(0);
  });

  test("of somebody else's position", async () => {
    const [session, other] = [await aJourney(services.one.api), await aSession()];
    const answer = await at({ ...session, trainerToken: other.trainerToken }, 100);
    expect(refusal(answer).code).toBe('FORBIDDEN');
    expect(await timesTold(session)).toBe(0);
  });

  test('of a session without a home', async () => {
    const session = await aJourney(services.one.api, { home: null });
    data(await at(session, 10));
    expect(await timesTold(session)).toBe(0);
  });

  test('after the end of the journey', async () => {
    const session = await aJourney(services.one.api);
    data(await services.one.api.stop(session.sessionId, session.trainerToken));
    expect(refusal(await at(session, 10)).code).toBe('JOURNEY_ENDED');
    expect(await timesTold(session)).toBe(0);
  });

  test('with TRAINER_NEARBY_EVENTS=false', async () => {
    const silent = await services.another({ TRAINER_NEARBY_EVENTS: 'false' });
    const session = await aJourney(silent.api);
    data(await at(session, 50, {}, silent));
    expect(await timesTold(session)).toBe(0);
  });
});

describe('it is told', () => {
  test.each([
    ['of the first position of a journey', 450, {}],
    ['of a position that is inside with its accuracy', 430, { accuracy: 60 }],
    ['of a position that is just not coarse', 390, { accuracy: 100 }],
    ['of a position whose accuracy is not known', 490, { accuracy: null }],
  ])('%s', async (_name, meters, more) => {
    const session = await aJourney(services.one.api);
    data(await at(session, meters, more));
    const [event] = await services.told(session.sessionId, 'TrainerNearby');
    expect(event?.detail).toMatchObject({ distanceMeters: meters });
  });

  test('of the next good position, after a coarse one and one that may as well be outside', async () => {
    const session = await aJourney(services.one.api);
    data(await at(session, 50, { accuracy: 500 }));
    data(await at(session, 480, { accuracy: 90 }));
    data(await at(session, 480, { accuracy: 5 }));
    const [event] = await services.told(session.sessionId, 'TrainerNearby');
    expect(event?.detail).toMatchObject({ distanceMeters: 480 });
  });

  test('within the radius of NEARBY_RADIUS_METERS', async () => {
    const wide = await services.another({ NEARBY_RADIUS_METERS: '1000' });
    const session = await aJourney(wide.api);
    data(await at(session, 1_010, {}, wide));
    expect(await timesTold(session)).toBe(0);
    data(await at(session, 990, {}, wide));
    expect(await timesTold(session)).toBe(1);
  });
});

test('while EventBridge fails the position is taken as quickly as ever, and it is told afterwards', async () => {
  const session = await aJourney(services.one.api);
  await services.failPublishingWhile(async () => {
    const askedAt = performance.now();
    data(await at(session, 100));
    expect(performance.now() - askedAt).toBeLessThan(1_000);
    expect(services.eventsOf(session.sessionId, 'TrainerNearby')).toEqual([]);
  });
  expect(await services.told(session.sessionId, 'TrainerNearby')).toHaveLength(1);
});

test.each([
  ['NEARBY_RADIUS_METERS', 'near'],
  ['NEARBY_RADIUS_METERS', '-500'],
  ['NEARBY_RADIUS_METERS', '0'],
  ['TRAINER_NEARBY_EVENTS', 'yes'],
])('the setting %s=%s stops the start by a message that names it', (name, value) => {
  expect(() => readConfig(testEnvironment({ [name]: value }))).toThrow(new RegExp(`\\b${name}\\b.* must `));
});
