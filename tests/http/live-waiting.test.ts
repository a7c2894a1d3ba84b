import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import { aSession, metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { metric, runService, type RunningService } from '../support/running-service.js';
import { tokenFor } from '../support/tokens.js';
import {
  aWaitingStudent,
  etagOf,
  LONG_SECONDS,
  OFTEN,
  poll,
  positionOf,
  shownSequence,
  untilWaiting,
} from '../support/waiting-polls.js';

let service: RunningService;
beforeAll(async () => {
  service = await runService({ settings: OFTEN });
});
afterAll(() => service.stop());

const LIVE_ROUTE = '/location-tracking/journey/live';

const post = async (session: ASession, sequence: number) =>
  data(await service.api.update(session.trainerToken, positionOf(session, sequence)));

async function aJourneyWithPosition(): Promise<ASession> {
  const session = await aJourney(service.api);
  await post(session, 1);
  return session;
}

describe('a waiting poll gets the new state and its ETag at once', () => {
  interface Case {
    before: () => Promise<ASession>;
    change: (session: ASession) => Promise<unknown>;
    expected: Record<string, unknown>;
  }
  const home = ({ sessionId }: ASession) => ({ sessionId, ...metersNorth(20), accuracy: 5 });
  const active = { isActive: true };
  const ended = { isActive: false, location: null };
  const changes: [name: string, change: Case][] = [
    [
      'by the start of the journey',
      {
        before: () => aSession(),
        change: ({ sessionId, trainerToken }) => service.api.start(sessionId, trainerToken),
        expected: { ...active, location: null },
      },
    ],
    [
      'by the first position',
      {
        before: () => aJourney(service.api),
        change: (session) => post(session, 1),
        expected: { ...active, location: expect.objectContaining({ sequence: 1 }) as object },
      },
    ],
    [
      'by the next position',
      {
        before: aJourneyWithPosition,
        change: (session) => post(session, 2),
        expected: { ...active, location: expect.objectContaining({ sequence: 2 }) as object },
      },
    ],
    [
      'by a position at the same place',
      {
        before: aJourneyWithPosition,
        change: async (session) =>
          data(
            await service.api.update(session.trainerToken, {
              ...positionOf(session, 1),
              sequence: undefined,
            }),
          ),
        expected: { ...active, location: expect.not.objectContaining({ sequence: 1 }) as object },
      },
    ],
    [
      'by the arrival',
      {
        before: async () => {
          const session = await aJourney(service.api);
          data(await service.api.update(session.trainerToken, home(session)));
          return session;
        },
        change: async ({ sessionId, trainerToken }) =>
          data(await service.api.arrived(sessionId, trainerToken)),
        expected: { ...ended, endedReason: 'arrived' },
      },
    ],
    [
      "by the trainer's stop",
      {
        before: aJourneyWithPosition,
        change: async ({ sessionId, trainerToken }) => data(await service.api.stop(sessionId, trainerToken)),
        expected: { ...ended, endedReason: 'cancelled' },
      },
    ],
    [
      "by an admin's stop",
      {
        before: () => aJourney(service.api),
        change: async ({ sessionId }) =>
          data(await service.api.stop(sessionId, await tokenFor(randomUUID(), 'admin'))),
        expected: { ...ended, endedReason: 'cancelled' },
      },
    ],
    [
      'by the next journey, after the end of one',
      {
        before: async () => {
          const session = await aJourneyWithPosition();
          data(await service.api.stop(session.sessionId, session.trainerToken));
          return session;
        },
        change: ({ sessionId, trainerToken }) => service.api.start(sessionId, trainerToken),
        expected: { ...active, location: null },
      },
    ],
  ];
  test.each(changes)('%s', async (_name, { before, change, expected }) => {
    const session = await before();
    const { answer, etag } = await aWaitingStudent(service, session);
    await change(session);
    const changedAt = performance.now();
    const woken = await answer;
    expect(performance.now() - changedAt).toBeLessThan(1_000);
    expect(woken.status).toBe(200);
    expect(data(woken)).toMatchObject(expected);
    expect(woken.headers['etag']).toMatch(/^W\/"/);
    expect(woken.headers['etag']).not.toBe(etag);
    expect(woken.headers).toMatchObject({
      'cache-control': 'private, no-cache',
      'preference-applied': `wait=${LONG_SECONDS}`,
    });
  });
});

test('a waiting poll gets a position within half a second of its 201, in the median', async () => {
  const session = await aJourneyWithPosition();
  const times: number[] = [];
  for (let sequence = 2; sequence <= 12; sequence++) {
    const { answer } = await aWaitingStudent(service, session);
    await post(session, sequence);
    const takenAt = performance.now();
    expect(shownSequence(await answer)).toBe(sequence);
    times.push(performance.now() - takenAt);
  }
  times.sort((one, other) => one - other);
  expect(times[times.length >> 1]).toBeLessThan(500);
});

test('a journey that times out ends the wait', async () => {
  const short = await runService({ settings: { JOURNEY_TTL_SECONDS: '1' } });
  try {
    const session = await aJourney(short.api);
    const woken = await poll(short, session, await etagOf(short, session));
    expect(data(woken)).toMatchObject({ isActive: false, location: null, endedReason: 'timeout' });
    expect(woken.ms).toBeLessThan(6_000);
  } finally {
    await short.stop();
  }
});

/** Without the fields that depend on the time of the response. */
function withoutAgingFields(live: Record<string, unknown>): Record<string, unknown> {
  const aging = ['ageMs', 'uncertaintyMeters', 'nextPollMs', 'etaSeconds', 'etaLowSeconds', 'etaHighSeconds'];
  return Object.fromEntries(Object.entries(live).filter(([name]) => !aging.includes(name)));
}

test('a waiting poll gets the same response as one that does not wait', async () => {
  const session = await aJourneyWithPosition();
  const { answer } = await aWaitingStudent(service, session);
  data(await service.api.update(session.trainerToken, { ...positionOf(session, 2), speed: 8, heading: 270 }));
  const woken = await answer;
  const asked = await poll(service, session, undefined, { prefer: null });
  const shown = withoutAgingFields(data(woken));
  expect(shown).toEqual(withoutAgingFields(data(asked)));
  expect(woken.headers['etag']).toBe(asked.headers['etag']);
});

test('without a change a waiting poll is 304 after its wait: before the start, during a journey and after its end', async () => {
  const [scheduled, active, over] = [
    await aSession(),
    await aJourneyWithPosition(),
    await aJourneyWithPosition(),
  ];
  data(await service.api.stop(over.sessionId, over.trainerToken));
  const waits = [scheduled, active, over].map(async (session) => {
    const etag = await etagOf(service, session);
    return { etag, answer: await poll(service, session, etag, { prefer: 'wait=1' }) };
  });
  for (const { etag, answer } of await Promise.all(waits)) {
    expect(answer.status).toBe(304);
    expect(answer.body).toEqual({});
    expect(answer.headers).toMatchObject({
      etag,
      'cache-control': 'private, no-cache',
      'preference-applied': 'wait=1',
      'next-poll-ms': expect.stringMatching(/^\d+$/) as string,
    });
    expect(answer.ms).toBeGreaterThan(950);
    expect(answer.ms).toBeLessThan(3_000);
  }
});

test.each([
  ['has no If-None-Match', undefined],
  ['names another state', 'W/"another"'],
])('a poll that %s does not wait', async (_name, etag) => {
  const session = await aJourneyWithPosition();
  const answer = await poll(service, session, etag);
  expect(shownSequence(answer)).toBe(1);
  expect(answer.ms).toBeLessThan(1_000);
});

test('a poll that knows an older state does not wait', async () => {
  const session = await aJourneyWithPosition();
  const etag = await etagOf(service, session);
  await post(session, 2);
  const answer = await poll(service, session, etag);
  expect(shownSequence(answer)).toBe(2);
  expect(answer.ms).toBeLessThan(1_000);
});

test('If-None-Match may name several states', async () => {
  const session = await aJourneyWithPosition();
  const etag = await etagOf(service, session);
  const answer = poll(service, session, `"other", ${etag}`);
  await untilWaiting(service, 1);
  await post(session, 2);
  expect(shownSequence(await answer)).toBe(2);
});

test.each([
  ["the session's trainer", (session: ASession) => Promise.resolve(session.trainerToken)],
  ['an admin', () => tokenFor(randomUUID(), 'admin')],
])('%s may wait', async (_who, tokenOf) => {
  const session = await aJourneyWithPosition();
  const { answer } = await aWaitingStudent(service, session, { token: await tokenOf(session) });
  await post(session, 2);
  expect(shownSequence(await answer)).toBe(2);
});

test.each(['student', 'trainer'] as const)(
  'a %s of another session gets 403 at once, whatever If-None-Match names',
  async (role) => {
    const session = await aJourneyWithPosition();
    const token = await tokenFor(randomUUID(), role);
    for (const etag of ['*', await etagOf(service, session)]) {
      const answer = await poll(service, session, etag, { token });
      expect(refusal(answer)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
      expect(answer.ms).toBeLessThan(1_000);
    }
  },
);

test('a session that does not exist is 404 at once', async () => {
  const session = { ...(await aSession()), sessionId: randomUUID() };
  const answer = await poll(service, session, '*');
  expect(refusal(answer)).toMatchObject({ status: 404, code: 'SESSION_NOT_FOUND' });
  expect(answer.ms).toBeLessThan(1_000);
});

test('waiting polls have a route label of their own in the metrics', async () => {
  const session = await aJourneyWithPosition();
  const etag = await etagOf(service, session);
  const counted = async (name: string, route: string) =>
    metric(service, `http_request_duration_seconds_${name}`, `route="${route}"`);
  const before = {
    ordinaryCount: await counted('count', LIVE_ROUTE),
    ordinarySum: await counted('sum', LIVE_ROUTE),
    waitingCount: await counted('count', `${LIVE_ROUTE} (waiting)`),
    waitingSum: await counted('sum', `${LIVE_ROUTE} (waiting)`),
  };
  expect((await poll(service, session, etag, { prefer: 'wait=1' })).status).toBe(304);
  expect(await counted('count', LIVE_ROUTE)).toBe(before.ordinaryCount);
  expect(await counted('sum', LIVE_ROUTE)).toBe(before.ordinarySum);
  expect(await counted('count', `${LIVE_ROUTE} (waiting)`)).toBe(before.waitingCount + 1);
  expect(await counted('sum', `${LIVE_ROUTE} (waiting)`)).toBeGreaterThan(before.waitingSum + 0.9);
});
