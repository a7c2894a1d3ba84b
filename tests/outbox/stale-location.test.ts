import { randomUUID } from 'node:crypto';
import { readConfig } from '../../src/config.js';
import { events } from '../../src/contract/events.js';
import { aJourney } from '../support/a-journey.js';
import { aSession, metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { testEnvironment } from '../support/service-settings.js';
import { tokenFor } from '../support/tokens.js';
import { EVENT_ID, problemsByOpenApi, TwoServices } from '../support/two-services.js';
import { aWaitingStudent, etagOf, poll } from '../support/waiting-polls.js';

let services: TwoServices;
beforeAll(async () => {
  services = await TwoServices.start();
});
afterAll(() => services.stop());

const STALE = 'TrainerLocationStale';

/** A journey whose only position so far is of so many seconds ago. */
async function aJourneyUnseenFor(seconds: number): Promise<ASession & { fixTime: unknown }> {
  const session = await aJourney(services.one.api);
  const fixTime = await post(session);
  services.clock.advance(seconds * 1_000);
  return { ...session, fixTime };
}

/** Returns the time that the position was taken. */
async function post({ sessionId, trainerToken }: ASession, more: object = {}): Promise<unknown> {
  const position = { sessionId, ...metersNorth(2_000), ...more };
  return data(await services.one.api.update(trainerToken, position))['timestamp'];
}

/** The student's look at it; returns what is shown. */
async function look(session: ASession, token = session.studentToken): Promise<Record<string, unknown>> {
  return data(await services.one.api.live(session.sessionId, token));
}

/** After what is told of the looks so far: no answer waits for that, and it is dated when it comes to Redis. */
async function later(ms: number): Promise<void> {
  await services.everythingTold();
  services.clock.advance(ms);
}

async function timesTold({ sessionId }: ASession): Promise<number> {
  await services.everythingTold();
  return services.eventsOf(sessionId, STALE).length;
}

test('a student who looks at a position over a minute old is told of with exactly the fields of the contract', async () => {
  const session = await aJourneyUnseenFor(61);
  expect(await look(session)).toMatchObject({ isActive: true, freshness: 'stale', ageMs: 61_000 });
  const [event] = await services.told(session.sessionId, STALE);
  expect(event).toMatchObject({ bus: 'application-events', source: 'admin-service' });
  expect(event?.detail).toEqual({
    eventId: expect.stringMatching(EVENT_ID) as string,
    trainerId: session.trainerId,
    studentId: session.studentId,
    sessionId: session.sessionId,
    time: new Date(services.clock.now()).toISOString(),
    lastFixTime: session.fixTime,
  });
});

test('the detail is of the form that the schema and the OpenAPI document promise', async () => {
  const session = await aJourneyUnseenFor(61);
  await look(session);
  const [event] = await services.told(session.sessionId, STALE);
  if (event === undefined) throw new Error('no event');
  events.TrainerLocationStale.strict().parse(event.detail);
  expect(await problemsByOpenApi(services.one.url, event)).toBeNull();
});

describe('it is told at most once a minute and journey', () => {
  test('however often the student looks', async () => {
    const session = await aJourneyUnseenFor(61);
    for (let seconds = 0; seconds < 59; seconds += 4) {
      await look(session);
      await later(4_000);
    }
    expect(await timesTold(session)).toBe(1);
  });

  test('by two processes that are asked many times at once', async () => {
    const session = await aJourneyUnseenFor(61);
    const polls = Array.from({ length: 60 }, (_, index) =>
      (index % 2 === 0 ? services.one : services.other).api.live(session.sessionId, session.studentToken),
    );
    for (const answer of await Promise.all(polls)) data(answer);
    expect(await timesTold(session)).toBe(1);
  });

  test('and again after another minute, with another id', async () => {
    const session = await aJourneyUnseenFor(61);
    for (const laterMs of [0, 59_000, 1_000, 30_000, 30_000]) {
      await later(laterMs);
      await look(session);
    }
    expect(await timesTold(session)).toBe(3);
    const ids = services.eventsOf(session.sessionId, STALE).map(({ detail }) => detail['eventId']);
    expect(new Set(ids).size).toBe(3);
  });

  test('each of several journeys for itself', async () => {
    const sessions = [await aJourneyUnseenFor(61), await aJourneyUnseenFor(61)];
    for (const session of sessions) await look(session);
    expect(await Promise.all(sessions.map(timesTold))).toEqual([1, 1]);
  });

  test('also in a new journey of the same session within the minute', async () => {
    const session = await aJourneyUnseenFor(61);
    await look(session);
    data(await services.one.api.stop(session.sessionId, session.trainerToken));
    data(await services.one.api.start(session.sessionId, session.trainerToken));
    services.clock.advance(5_000);
    await post(session, { ageMs: 61_000 });
    await look(session);
    expect(await timesTold(session)).toBe(2);
  });
});

describe('it is told', () => {
  test('of a poll that is answered 304', async () => {
    const session = await aJourneyUnseenFor(0);
    const etag = await etagOf(services.one, session);
    services.clock.advance(61_000);
    expect((await poll(services.one, session, etag, { prefer: null })).status).toBe(304);
    expect(await timesTold(session)).toBe(1);
  });

  test('of a poll that waits, when it comes', async () => {
    const session = await aJourneyUnseenFor(0);
    const etag = await etagOf(services.one, session);
    services.clock.advance(61_000);
    const waiting = poll(services.one, session, etag);
    await services.told(session.sessionId, STALE);
    await post(session);
    expect((await waiting).status).toBe(200);
  });

  test('of a poll that waits for a journey that is watched already, by the end of its wait', async () => {
    const session = await aJourney(services.one.api);
    const first = await aWaitingStudent(services.one, session);
    await post(session);
    const etag = (await first.answer).headers['etag'];
    services.clock.advance(61_000);
    expect((await poll(services.one, session, etag, { prefer: 'wait=1' })).status).toBe(304);
    expect(await timesTold(session)).toBe(1);
  });

  test('of the age of the fix, not of the time since it was posted', async () => {
    const session = await aJourney(services.one.api);
    const takenAt = Date.parse(String(await post(session, { ageMs: 70_000 })));
    await look(session);
    const [event] = await services.told(session.sessionId, STALE);
    expect(event?.detail['lastFixTime']).toBe(new Date(takenAt - 70_000).toISOString());
  });

  test('also when the location has expired while the journey goes on', async () => {
    const session = await aJourneyUnseenFor(301);
    // As it would have by itself by now; the clock that the test moves is not that of Redis' expiry.
    await services.redis.del(`location:trainer:${session.trainerId}:session:${session.sessionId}`);
    expect(await look(session)).toMatchObject({ isActive: true, location: null });
    const [event] = await services.told(session.sessionId, STALE);
    expect(event?.detail['lastFixTime']).toBe(session.fixTime);
  });

  test('of the last position, when the trainer falls silent for a second time', async () => {
    const session = await aJourneyUnseenFor(61);
    await look(session);
    const fixTime = await post(session);
    services.clock.advance(61_000);
    await look(session);
    const told = await services.told(session.sessionId, STALE, 2);
    expect(told.map(({ detail }) => detail['lastFixTime'])).toEqual([session.fixTime, fixTime]);
  });
});

describe('it is not told', () => {
  test.each([0, 59, 60])('of a position that is %i s old', async (seconds) => {
    const session = await aJourneyUnseenFor(seconds);
    await look(session);
    expect(await timesTold(session)).toBe(0);
  });

  test('while nobody looks', async () => {
    const session = await aJourneyUnseenFor(200);
    expect(await timesTold(session)).toBe(0);
  });

  test('when the trainer or an admin looks', async () => {
    const session = await aJourneyUnseenFor(61);
    await look(session, session.trainerToken);
    await look(session, await tokenFor(randomUUID(), 'admin'));
    expect(await timesTold(session)).toBe(0);
  });

  test('when a stranger looks', async () => {
    const session = await aJourneyUnseenFor(61);
    const stranger = await tokenFor(randomUUID(), 'student');
    expect(refusal(await services.one.api.live(session.sessionId, stranger)).code).toBe('FORBIDDEN');
    expect(await timesTold(session)).toBe(0);
  });

  test('once a new position has come', async () => {
    const session = await aJourneyUnseenFor(120);
    await post(session);
    await look(session);
    expect(await timesTold(session)).toBe(0);
  });

  test('after the end of the journey', async () => {
    const session = await aJourneyUnseenFor(61);
    data(await services.one.api.stop(session.sessionId, session.trainerToken));
    expect(await look(session)).toMatchObject({ isActive: false });
    expect(await timesTold(session)).toBe(0);
  });

  test('of a session before its start', async () => {
    const session = await aSession();
    await look(session);
    services.clock.advance(61_000);
    await look(session);
    expect(await timesTold(session)).toBe(0);
  });

  test('of a journey that has no position yet', async () => {
    const session = await aJourney(services.one.api);
    services.clock.advance(301_000);
    expect(await look(session)).toMatchObject({ isActive: true, location: null });
    expect(await timesTold(session)).toBe(0);
  });

  test('of a new journey that has no position yet, when the one before had', async () => {
    const session = await aJourneyUnseenFor(10);
    data(await services.one.api.stop(session.sessionId, session.trainerToken));
    data(await services.one.api.start(session.sessionId, session.trainerToken));
    services.clock.advance(61_000);
    await look(session);
    expect(await timesTold(session)).toBe(0);
  });

  test('with TRAINER_LOCATION_STALE_EVENTS=false', async () => {
    const silent = await services.another({ TRAINER_LOCATION_STALE_EVENTS: 'false' });
    const session = await aJourneyUnseenFor(61);
    data(await silent.api.live(session.sessionId, session.studentToken));
    expect(await timesTold(session)).toBe(0);
  });
});

test('while EventBridge fails polls are answered as quickly as ever, and it is told afterwards, once', async () => {
  const session = await aJourneyUnseenFor(61);
  await services.failPublishingWhile(async () => {
    for (let times = 3; times > 0; times--) {
      const answer = await poll(services.one, session, undefined, { prefer: null });
      expect(answer.status).toBe(200);
      expect(answer.ms).toBeLessThan(1_000);
    }
    expect(services.eventsOf(session.sessionId, STALE)).toEqual([]);
  });
  await services.told(session.sessionId, STALE);
  expect(await timesTold(session)).toBe(1);
});

test.each(['yes', '1', 'FALSE'])(
  'the setting TRAINER_LOCATION_STALE_EVENTS=%s stops the start by a message that names it',
  (value) => {
    const environment = testEnvironment({ TRAINER_LOCATION_STALE_EVENTS: value });
    expect(() => readConfig(environment)).toThrow(/\bTRAINER_LOCATION_STALE_EVENTS\b.* must /);
  },
);
