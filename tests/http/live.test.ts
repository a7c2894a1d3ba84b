import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import { aSession, metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { MovableClock } from '../support/movable-clock.js';
import { keyOf, sharedRedis } from '../support/redis-of-the-run.js';
import { runService, type RunningService } from '../support/running-service.js';
import { tokenFor } from '../support/tokens.js';

const clock = new MovableClock();
let service: RunningService;
beforeAll(async () => {
  service = await runService({ clock: clock.now });
});
afterAll(() => service.stop());

const live = async ({ sessionId, studentToken }: ASession) =>
  data(await service.api.live(sessionId, studentToken));
const post = ({ sessionId, trainerToken }: ASession, more: object = {}) =>
  service.api.update(trainerToken, { sessionId, ...metersNorth(2_000), ...more });
const iso = (ms: number) => new Date(ms).toISOString();

async function aJourneyWithPosition(): Promise<ASession> {
  const session = await aJourney(service.api);
  data(await post(session));
  return session;
}

type State = [when: string, aSuch: () => Promise<ASession>];
const states: State[] = [
  ['before the start', () => aSession()],
  ['of an active journey', aJourneyWithPosition],
  [
    'after the end',
    async () => {
      const session = await aJourneyWithPosition();
      data(await service.api.stop(session.sessionId, session.trainerToken));
      return session;
    },
  ],
];

const nothing = {
  ...{ location: null, lastUpdate: null, startedAt: null, expiresAt: null, distanceMeters: null },
  ...{ etaSeconds: null, etaLowSeconds: null, etaHighSeconds: null },
  ...{ ageMs: null, freshness: null, uncertaintyMeters: null },
};
const noEta = { etaSeconds: null, etaLowSeconds: null, etaHighSeconds: null };

describe.each(states)('live %s', (_when, aSuch) => {
  test("is shown to the session's student and trainer and to an admin", async () => {
    const { sessionId, trainerId, studentToken, trainerToken } = await aSuch();
    for (const token of [studentToken, trainerToken, await tokenFor(randomUUID(), 'admin')])
      expect(data(await service.api.live(sessionId, token))).toMatchObject({ sessionId, trainerId });
  });

  test("is not shown to the student under the trainer's role, nor to the trainer under the student's", async () => {
    const { sessionId, trainerId, studentId } = await aSuch();
    const tokens = await Promise.all([tokenFor(trainerId, 'student'), tokenFor(studentId, 'trainer')]);
    for (const token of tokens) expect((await service.api.live(sessionId, token)).status).toBe(403);
  });
});

test('live of an unknown session is 404', async () => {
  const sessionId = randomUUID();
  for (const role of ['student', 'trainer', 'admin'] as const) {
    const answer = await service.api.live(sessionId, await tokenFor(randomUUID(), role));
    expect(refusal(answer)).toMatchObject({ status: 404, code: 'SESSION_NOT_FOUND' });
  }
});

test('before the start there is no journey and no location', async () => {
  const session = await aSession();
  const view = await live(session);
  const { sessionId, trainerId } = session;
  expect(view).toMatchObject({ sessionId, trainerId, isActive: false, ...nothing });
  expect(view).not.toHaveProperty('endedReason');
  expect(view).not.toHaveProperty('endedAt');
});

test('between the start and the first position the journey is active and the location is not known', async () => {
  const session = await aJourney(service.api);
  const times = { startedAt: iso(clock.now()), expiresAt: iso(clock.now() + 3_600_000) };
  expect(await live(session)).toMatchObject({ ...nothing, isActive: true, ...times });
});

test('a position is shown as it was sent, with the time at which it came', async () => {
  const session = await aJourney(service.api);
  const position = { ...metersNorth(2_000), accuracy: 8, speed: 10, heading: 180, sequence: 3 };
  data(await post(session, position));
  expect(await live(session)).toMatchObject({
    ...{ sessionId: session.sessionId, trainerId: session.trainerId, isActive: true, ageMs: 0 },
    location: { ...position, timestamp: iso(clock.now()) },
    lastUpdate: iso(clock.now()),
    distanceMeters: 2_000,
  });
});

test.each(['arrived', 'cancelled'])(
  'after the end the reason "%s" and the time are shown, and no location',
  async (reason) => {
    const session = await aJourney(service.api);
    data(await post(session, metersNorth(100)));
    const call = reason === 'arrived' ? 'arrived' : 'stop';
    data(await service.api[call](session.sessionId, session.trainerToken));
    const endedAt = iso(clock.now());
    clock.advance(10_000);
    expect(await live(session)).toMatchObject({ ...nothing, isActive: false, endedReason: reason, endedAt });
  },
);

test('an upper-case sessionId means the same session', async () => {
  const session = await aJourney(service.api);
  const answer = await service.api.live(session.sessionId.toUpperCase(), session.studentToken);
  expect(data(answer)).toMatchObject({ sessionId: session.sessionId, isActive: true });
});

test('an expired location is not shown, and the journey is still active', async () => {
  const session = await aJourney(service.api);
  data(await post(session));
  await sharedRedis().del(keyOf.location(session.trainerId, session.sessionId));
  const expired = { isActive: true, location: null, lastUpdate: null, distanceMeters: null };
  expect(await live(session)).toMatchObject(expired);
});

test.each([
  [0, 'live'],
  [15_000, 'live'],
  [15_001, 'delayed'],
  [60_000, 'delayed'],
  [60_001, 'stale'],
  [299_000, 'stale'],
])('a fix of %d ms is %s', async (ageMs, freshness) => {
  const session = await aJourney(service.api);
  data(await post(session));
  clock.advance(ageMs);
  expect(await live(session)).toMatchObject({ ageMs, freshness });
});

test('the freshness is that of the fix, not of the update', async () => {
  const session = await aJourney(service.api);
  data(await post(session, { ageMs: 14_000 }));
  clock.advance(1_001);
  expect(await live(session)).toMatchObject({ ageMs: 15_001, freshness: 'delayed' });
});

test.each([{ speed: 10 }, { speed: 0 }, {}])(
  'the uncertainty is the accuracy, and grows with age, at %j',
  async (more) => {
    const session = await aJourney(service.api);
    data(await post(session, { accuracy: 12, ...more }));
    const grown: number[] = [];
    for (const laterMs of [0, 10_000, 50_000, 100_000]) {
      clock.advance(laterMs);
      grown.push((await live(session))['uncertaintyMeters'] as number);
    }
    expect(grown[0]).toBe(12);
    expect(grown).toEqual([...new Set(grown)].sort((a, b) => a - b));
  },
);

/** Straight home at 10 m/s for 30 s, to 2,000 m from it. */
async function driveNearer(session: ASession, more: object = {}): Promise<void> {
  for (const meters of [2_300, 2_250, 2_200, 2_150, 2_100, 2_050, 2_000]) {
    data(await post(session, { ...metersNorth(meters), accuracy: 8, ...more }));
    clock.advance(5_000);
  }
}

test.each([{ speed: 10 }, {}])(
  'the ETA of a driving trainer is an interval and decreases, at %j',
  async (more) => {
    const session = await aJourney(service.api);
    await driveNearer(session, more);
    const { etaLowSeconds: low, etaSeconds: first, etaHighSeconds: high } = await live(session);
    expect(low).toBeLessThan(200);
    expect(first).toBeGreaterThan(200);
    expect(first).toBeLessThan(600);
    expect(high).toBeGreaterThan(first as number);
    data(await post(session, { ...metersNorth(1_900), accuracy: 8, ...more }));
    expect((await live(session))['etaSeconds']).toBeLessThan(first as number);
  },
);

test.each([{ speed: 10 }, { speed: 0 }, { speed: null }, {}])(
  'the first position has no ETA, at %j',
  async (more) => {
    const session = await aJourney(service.api);
    data(await post(session, more));
    expect(await live(session)).toMatchObject({ distanceMeters: 2_000, ...noEta });
  },
);

test('a stale fix has no ETA', async () => {
  const session = await aJourney(service.api);
  await driveNearer(session);
  clock.advance(55_001);
  expect(await live(session)).toMatchObject({ freshness: 'stale', ...noEta });
});

test('without a home there is a location, but neither distance nor arrival', async () => {
  const session = await aJourney(service.api, { home: null });
  await driveNearer(session);
  expect(await live(session)).toMatchObject({ distanceMeters: null, ...noEta, freshness: 'live' });
});

test('nextPollMs is long without a position, else just after the next update', async () => {
  const session = await aJourney(service.api);
  expect(await live(session)).toMatchObject({ nextPollMs: 4_000 });
  expect(data(await post(session))).toMatchObject({ nextUpdateMs: 5_000 });
  clock.advance(1_000);
  expect(await live(session)).toMatchObject({ nextPollMs: 4_500 });
  data(await service.api.stop(session.sessionId, session.trainerToken));
  expect(await live(session)).toMatchObject({ nextPollMs: 15_000 });
});

test('once the record of the end has expired, live is as before the start, and calls find no journey', async () => {
  const session = await aJourney(service.api);
  const { sessionId, trainerToken } = session;
  data(await service.api.stop(sessionId, trainerToken));
  await sharedRedis().del(keyOf.ended(sessionId));
  const view = await live(session);
  expect(view).toMatchObject({ isActive: false, ...nothing });
  expect(view).not.toHaveProperty('endedReason');
  const calls = [
    post(session),
    service.api.arrived(sessionId, trainerToken),
    service.api.stop(sessionId, trainerToken),
  ];
  for (const answer of await Promise.all(calls)) {
    expect(refusal(answer)).toMatchObject({ status: 404, code: 'JOURNEY_NOT_ACTIVE' });
  }
});
