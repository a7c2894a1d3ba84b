import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import { aSession, metersNorth, type ASession } from '../support/a-session.js';
import { data } from '../support/api.js';
import { metric, runService, type RunningService } from '../support/running-service.js';
import { tokenFor } from '../support/tokens.js';
import {
  aJourneyWithPosition,
  aWaitingStudent,
  etagOf,
  LONG_SECONDS,
  move,
  OFTEN,
  poll,
  shownSequence,
  untilWaiting,
} from '../support/waiting-polls.js';

let service: RunningService;
beforeAll(async () => {
  service = await runService({ settings: OFTEN });
});
afterAll(() => service.stop());

const ROUTE = '/location-tracking/journey/live';
const active = () => aJourneyWithPosition(service);
const post = (session: ASession, sequence: number, more: object = {}) =>
  move(service, session, sequence, more);
const start = ({ sessionId, trainerToken }: ASession) => service.api.start(sessionId, trainerToken);
const stop = async ({ sessionId, trainerToken }: ASession) =>
  data(await service.api.stop(sessionId, trainerToken));

async function anEndedJourney(): Promise<ASession> {
  const session = await aJourneyWithPosition(service);
  await stop(session);
  return session;
}

async function aJourneyAtHome(): Promise<ASession> {
  const session = await aJourney(service.api);
  await post(session, 1, metersNorth(20));
  return session;
}

type Fields = Record<string, unknown>;
const at = (sequence: number): Fields => ({
  isActive: true,
  location: expect.objectContaining({ sequence }) as object,
});
const started = { isActive: true, location: null };
const ended = { isActive: false, location: null };

test.each<[name: string, () => Promise<ASession>, (session: ASession) => Promise<unknown>, expected: Fields]>(
  [
    ['the start of the journey', () => aSession(), start, started],
    ['the first position', () => aJourney(service.api), (session) => post(session, 1), at(1)],
    ['the next position', active, (session) => post(session, 2), at(2)],
    [
      'a position at the same place',
      active,
      (session) => post(session, 1, { sequence: undefined }),
      { isActive: true, location: expect.not.objectContaining({ sequence: 1 }) as object },
    ],
    [
      'the arrival',
      aJourneyAtHome,
      async ({ sessionId, trainerToken }) => data(await service.api.arrived(sessionId, trainerToken)),
      { ...ended, endedReason: 'arrived' },
    ],
    ["the trainer's stop", active, stop, { ...ended, endedReason: 'cancelled' }],
    [
      "an admin's stop",
      () => aJourney(service.api),
      async (session) => stop({ ...session, trainerToken: await tokenFor(randomUUID(), 'admin') }),
      { ...ended, endedReason: 'cancelled' },
    ],
    ['the next journey', anEndedJourney, start, started],
  ],
)('a waiting poll gets %s and its ETag at once', async (_name, before, change, expected) => {
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
    'cache-control': 'private, no-store',
    'preference-applied': `wait=${LONG_SECONDS}`,
  });
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
  const session = await aJourneyWithPosition(service);
  const { answer } = await aWaitingStudent(service, session);
  await post(session, 2, { speed: 8, heading: 270 });
  const woken = await answer;
  const asked = await poll(service, session, undefined, { prefer: null });
  const shown = withoutAgingFields(data(woken));
  expect(shown).toEqual(withoutAgingFields(data(asked)));
  expect(woken.headers['etag']).toBe(asked.headers['etag']);
});

test('without a change a waiting poll is 304 after its wait: before the start, during a journey and after its end', async () => {
  const sessions = [await aSession(), await aJourneyWithPosition(service), await anEndedJourney()];
  const waits = sessions.map(async (session) => {
    const etag = await etagOf(service, session);
    return { etag, answer: await poll(service, session, etag, { prefer: 'wait=1' }) };
  });
  for (const { etag, answer } of await Promise.all(waits)) {
    expect(answer).toMatchObject({ status: 304, body: {} });
    expect(answer.headers).toMatchObject({
      etag,
      'cache-control': 'private, no-store',
      'preference-applied': 'wait=1',
      'next-poll-ms': expect.stringMatching(/^\d+$/) as string,
    });
    expect(answer.ms).toBeGreaterThan(950);
    expect(answer.ms).toBeLessThan(3_000);
  }
});

test('a poll without If-None-Match, or of another or an older state, does not wait', async () => {
  const session = await aJourneyWithPosition(service);
  const older = await etagOf(service, session);
  await post(session, 2);
  for (const etag of [undefined, 'W/"another"', older]) {
    const answer = await poll(service, session, etag);
    expect(shownSequence(answer)).toBe(2);
    expect(answer.ms).toBeLessThan(1_000);
  }
});

test('If-None-Match may name several states', async () => {
  const session = await aJourneyWithPosition(service);
  const answer = poll(service, session, `"other", ${await etagOf(service, session)}`);
  await untilWaiting(service, 1);
  await post(session, 2);
  expect(shownSequence(await answer)).toBe(2);
});

test.each([
  ["the session's trainer", (session: ASession) => Promise.resolve(session.trainerToken)],
  ['an admin', () => tokenFor(randomUUID(), 'admin')],
])('%s may wait', async (_who, tokenOf) => {
  const session = await aJourneyWithPosition(service);
  const { answer } = await aWaitingStudent(service, session, { token: await tokenOf(session) });
  await post(session, 2);
  expect(shownSequence(await answer)).toBe(2);
});

test('waiting polls have a route label of their own in the metrics', async () => {
  const session = await aJourneyWithPosition(service);
  const etag = await etagOf(service, session);
  const counted = (name: string, route: string) =>
    metric(service, `http_request_duration_seconds_${name}`, `route="${route}"`);
  const all = () =>
    Promise.all([
      counted('count', ROUTE),
      counted('sum', ROUTE),
      counted('count', `${ROUTE} (waiting)`),
      counted('sum', `${ROUTE} (waiting)`),
    ]);
  const [ordinary, ordinarySum, waits, waitsSum] = await all();
  expect((await poll(service, session, etag, { prefer: 'wait=1' })).status).toBe(304);
  const after = await all();
  expect(after.slice(0, 3)).toEqual([ordinary, ordinarySum, waits + 1]);
  expect(after[3]).toBeGreaterThan(waitsSum + 0.9);
});
