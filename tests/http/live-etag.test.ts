import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import { aSession, metersNorth, type ASession } from '../support/a-session.js';
import { data } from '../support/api.js';
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

const post = ({ sessionId, trainerToken }: ASession, more: object = {}) =>
  service.api.update(trainerToken, { sessionId, ...metersNorth(100), ...more });
const poll = ({ sessionId, studentToken }: ASession, ifNoneMatch?: string) =>
  service.api.live(
    sessionId,
    studentToken,
    ifNoneMatch === undefined ? {} : { 'If-None-Match': ifNoneMatch },
  );
const etagOf = async (session: ASession) => (await poll(session)).headers['etag'] ?? '';

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

describe.each(states)('the ETag of live %s', (when, aSuch) => {
  test('is weak, private to the caller and gives a 304 without a body', async () => {
    const session = await aSuch();
    const { headers } = await poll(session);
    expect(headers['etag']).toMatch(/^W\/"[\x21\x23-\x7e]+"$/);
    expect(headers['cache-control']).toBe('private, no-store');
    const { status, body, headers: again } = await poll(session, headers['etag']);
    expect({ status, body }).toEqual({ status: 304, body: {} });
    expect('location-age-ms' in again).toBe(when === 'of an active journey');
    expect(again).toMatchObject({ etag: headers['etag'], 'cache-control': 'private, no-store' });
  });

  test('is recognized in every form of If-None-Match', async () => {
    const session = await aSuch();
    const etag = await etagOf(session);
    const strong = etag.replace('W/', '');
    for (const form of [strong, '*', `"other", ${etag}`, `W/"x",${etag},"y"`, `  ${etag}  `]) {
      expect({ form, status: (await poll(session, form)).status }).toEqual({ form, status: 304 });
    }
  });

  test('does not match any other value', async () => {
    const session = await aSuch();
    const etag = await etagOf(session);
    const others = ['"other"', 'W/"other", "another"', 'nonsense', '', `${etag.slice(0, -1)}x"`];
    for (const form of [...others, etag.slice(3, -1)]) {
      expect({ form, status: (await poll(session, form)).status }).toEqual({ form, status: 200 });
    }
  });
});

test('an unknown session is 404 whatever If-None-Match says, and is not cached', async () => {
  const admin = await tokenFor(randomUUID(), 'admin');
  const { status, headers } = await service.api.live(randomUUID(), admin, { 'If-None-Match': '*' });
  expect([status, headers['etag']]).toEqual([404, undefined]);
  expect(headers['cache-control'] ?? 'no-store').toMatch(/no-store|no-cache/);
});

test('the ETag does not change with the age of the position, and changes when it expires', async () => {
  const session = await aJourneyWithPosition();
  const etag = await etagOf(session);
  for (const laterMs of [1_000, 15_000, 60_000]) {
    clock.advance(laterMs);
    expect(await etagOf(session)).toBe(etag);
  }
  await sharedRedis().del(keyOf.location(session.trainerId, session.sessionId));
  expect(await etagOf(session)).not.toBe(etag);
});

test('a 304 has the age of the position, which the stored response of an app does not have', async () => {
  const session = await aJourney(service.api);
  data(await post(session, { ageMs: 2_500 }));
  const etag = await etagOf(session);
  clock.advance(3_000);
  const { status, headers } = await poll(session, etag);
  expect([status, headers['location-age-ms']]).toEqual([304, '5500']);
  expect(data(await poll(session))['ageMs']).toBe(5_500);
});

test('the ETag changes with each position, also where the trainer stands still', async () => {
  const session = await aJourneyWithPosition();
  const etags = [await etagOf(session)];
  for (let n = 0; n < 5; n++) {
    clock.advance(5_000);
    data(await post(session));
    etags.push(await etagOf(session));
  }
  expect(new Set(etags).size).toBe(6);
});

test('the ETag does not change with a refused or a duplicate position', async () => {
  const session = await aJourney(service.api);
  data(await post(session, { sequence: 1 }));
  const etag = await etagOf(session);
  clock.advance(5_000);
  await post(session, { sequence: 1 });
  await post(session, { sequence: 0 });
  await post(session, { sequence: 2, ...metersNorth(90_000) });
  expect(await etagOf(session)).toBe(etag);
});

test('the ETag changes from before the start to the start, the first position, the end and the next start', async () => {
  const session = await aSession();
  const { sessionId, trainerToken } = session;
  const etags = [await etagOf(session)];
  const steps = [
    () => service.api.start(sessionId, trainerToken),
    () => post(session),
    () => service.api.stop(sessionId, trainerToken),
    () => service.api.start(sessionId, trainerToken),
    () => post(session),
    () => service.api.arrived(sessionId, trainerToken),
  ];
  for (const step of steps) {
    clock.advance(5_000);
    const answer = await step();
    data(answer);
    etags.push(await etagOf(session));
  }
  expect(new Set(etags).size).toBe(etags.length);
});
