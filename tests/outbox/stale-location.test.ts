import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import { aSession, metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal, problemsByOpenApi } from '../support/api.js';
import { tokenFor } from '../support/tokens.js';
import { EVENT_ID, TwoServices } from '../support/two-services.js';
import { aWaitingStudent, etagOf, poll } from '../support/waiting-polls.js';

let services: TwoServices;
beforeAll(async () => {
  services = await TwoServices.start();
});
afterAll(() => services.stop());

const STALE = 'TrainerLocationStale';

/** A journey whose only position is this many seconds old. */
async function aJourneyUnseenFor(seconds: number): Promise<ASession & { fixTime: unknown }> {
  const session = await aJourney(services.one.api);
  const fixTime = await post(session);
  services.clock.advance(seconds * 1_000);
  return { ...session, fixTime };
}

/** Returns the time of the position. */
async function post({ sessionId, trainerToken }: ASession, more: object = {}): Promise<unknown> {
  const position = { sessionId, ...metersNorth(2_000), ...more };
  return data(await services.one.api.update(trainerToken, position))['timestamp'];
}

async function look(session: ASession, token = session.studentToken): Promise<Record<string, unknown>> {
  return data(await services.one.api.live(session.sessionId, token));
}

/** Moves the clock after the events so far are recorded: responses do not wait for that. */
async function later(ms: number): Promise<void> {
  await services.everythingTold();
  services.clock.advance(ms);
}

async function timesPublished({ sessionId }: ASession): Promise<number> {
  await services.everythingTold();
  return services.eventsOf(sessionId, STALE).length;
}

test('a student who looks at a position over a minute old is published with exactly the fields of contract and OpenAPI', async () => {
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
  expect(event && (await problemsByOpenApi(services.one.url, event))).toBeNull();
});

describe('it is published at most once per minute and journey', () => {
  test('by two processes with many polls at once', async () => {
    const session = await aJourneyUnseenFor(61);
    const polls = Array.from({ length: 60 }, (_, index) =>
      (index % 2 === 0 ? services.one : services.other).api.live(session.sessionId, session.studentToken),
    );
    for (const answer of await Promise.all(polls)) data(answer);
    expect(await timesPublished(session)).toBe(1);
  });

  test('however often the student looks, and again, with another id, after a minute', async () => {
    const session = await aJourneyUnseenFor(61);
    for (const laterMs of [0, 59_000, 1_000, 30_000, 30_000]) {
      await later(laterMs);
      await look(session);
    }
    expect(await timesPublished(session)).toBe(3);
    const ids = services.eventsOf(session.sessionId, STALE).map(({ detail }) => detail['eventId']);
    expect(new Set(ids).size).toBe(3);
  });

  test('also in a new journey of the same session within the minute', async () => {
    const session = await aJourneyUnseenFor(61);
    await look(session);
    data(await services.one.api.stop(session.sessionId, session.trainerToken));
    data(await services.one.api.start(session.sessionId, session.trainerToken));
    services.clock.advance(5_000);
    await post(session, { ageMs: 61_000 });
    await look(session);
    expect(await timesPublished(session)).toBe(2);
  });
});

describe('it is published', () => {
  test('for a poll that is answered 304', async () => {
    const session = await aJourneyUnseenFor(0);
    const etag = await etagOf(services.one, session);
    services.clock.advance(61_000);
    expect((await poll(services.one, session, etag, { prefer: null })).status).toBe(304);
    expect(await timesPublished(session)).toBe(1);
  });

  test('for a waiting poll when it arrives', async () => {
    const session = await aJourneyUnseenFor(0);
    const etag = await etagOf(services.one, session);
    services.clock.advance(61_000);
    const waiting = poll(services.one, session, etag);
    await services.told(session.sessionId, STALE);
    await post(session);
    expect((await waiting).status).toBe(200);
  });

  test('for a waiting poll of a journey that is already watched, at the latest at the end of its wait', async () => {
    const session = await aJourney(services.one.api);
    const first = await aWaitingStudent(services.one, session);
    await post(session);
    const etag = (await first.answer).headers['etag'];
    services.clock.advance(61_000);
    expect((await poll(services.one, session, etag, { prefer: 'wait=1' })).status).toBe(304);
    expect(await timesPublished(session)).toBe(1);
  });

  test('by the age of the fix, not the time since it was posted', async () => {
    const session = await aJourney(services.one.api);
    const takenAt = Date.parse(String(await post(session, { ageMs: 70_000 })));
    await look(session);
    const [event] = await services.told(session.sessionId, STALE);
    expect(event?.detail['lastFixTime']).toBe(new Date(takenAt - 70_000).toISOString());
  });

  test('also when the location has expired during the journey', async () => {
    const session = await aJourneyUnseenFor(301);
    // The test's clock does not move Redis' expiry.
    await services.redis.del(`location:trainer:${session.trainerId}:session:${session.sessionId}`);
    expect(await look(session)).toMatchObject({ isActive: true, location: null });
    const [event] = await services.told(session.sessionId, STALE);
    expect(event?.detail['lastFixTime']).toBe(session.fixTime);
  });

  test('with the last position when the trainer is silent for a second time', async () => {
    const session = await aJourneyUnseenFor(61);
    await look(session);
    const fixTime = await post(session);
    services.clock.advance(61_000);
    await look(session);
    const published = await services.told(session.sessionId, STALE, 2);
    expect(published.map(({ detail }) => detail['lastFixTime'])).toEqual([session.fixTime, fixTime]);
  });
});

describe('it is not published', () => {
  type Look = (session: ASession) => Promise<unknown>;
  test.each<[string, number, Look]>([
    ['for a position that is 60 s old', 60, look],
    ['while nobody looks', 200, () => Promise.resolve()],
    ['once a new position has come', 120, (session) => post(session).then(() => look(session))],
    [
      'after the end of the journey',
      61,
      async (session) => {
        data(await services.one.api.stop(session.sessionId, session.trainerToken));
        expect(await look(session)).toMatchObject({ isActive: false });
      },
    ],
  ])('%s', async (_name, seconds, lookLater) => {
    const session = await aJourneyUnseenFor(seconds);
    await lookLater(session);
    expect(await timesPublished(session)).toBe(0);
  });

  test.each([
    ['for a session before its start', () => aSession()],
    ['for a journey that has no position yet', () => aJourney(services.one.api)],
  ])('%s', async (_name, make) => {
    const session = await make();
    services.clock.advance(301_000);
    expect(await look(session)).toMatchObject({ location: null });
    expect(await timesPublished(session)).toBe(0);
  });

  test('when the trainer, an admin or a stranger looks', async () => {
    const session = await aJourneyUnseenFor(61);
    await look(session, session.trainerToken);
    await look(session, await tokenFor(randomUUID(), 'admin'));
    const stranger = await tokenFor(randomUUID(), 'student');
    expect(refusal(await services.one.api.live(session.sessionId, stranger)).code).toBe('FORBIDDEN');
    expect(await timesPublished(session)).toBe(0);
  });

  test('for a new journey without a position after one with a position', async () => {
    const session = await aJourneyUnseenFor(10);
    data(await services.one.api.stop(session.sessionId, session.trainerToken));
    data(await services.one.api.start(session.sessionId, session.trainerToken));
    services.clock.advance(61_000);
    await look(session);
    expect(await timesPublished(session)).toBe(0);
  });

  test('with TRAINER_LOCATION_STALE_EVENTS=false', async () => {
    const silent = await services.another({ TRAINER_LOCATION_STALE_EVENTS: 'false' });
    const session = await aJourneyUnseenFor(61);
    data(await silent.api.live(session.sessionId, session.studentToken));
    expect(await timesPublished(session)).toBe(0);
  });
});
