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

/** When the rate allows it. */
function postNext(more: object) {
  clock.advance(5_000);
  return post(more);
}

const [LATER, FAR] = [5_000, metersNorth(500_000)];
type Caller = 'owner' | 'another trainer' | 'student' | 'nobody';
type State = 'scheduled' | 'active' | 'ended';

/** An active journey has an accepted position of sequence 5, 500 m from the home. */
test.each<[string, State, Caller, afterMs: number, object | string, status: number, code: string]>([
  ['the token is checked before the body', 'active', 'nobody', 0, '{', 401, 'UNAUTHENTICATED'],
  ['the role is checked before the body', 'active', 'student', 0, '{', 403, 'FORBIDDEN'],
  [
    'the body is checked before the journey',
    'scheduled',
    'owner',
    0,
    { latitude: 91 },
    400,
    'VALIDATION_FAILED',
  ],
  ['before the start there is no journey', 'scheduled', 'owner', 0, {}, 404, 'JOURNEY_NOT_ACTIVE'],
  ['the end is checked before a duplicate', 'ended', 'owner', 0, { sequence: 5 }, 410, 'JOURNEY_ENDED'],
  [
    'the owner is checked before a duplicate',
    'active',
    'another trainer',
    0,
    { sequence: 5 },
    403,
    'FORBIDDEN',
  ],
  [
    'the owner is checked before the sequence',
    'active',
    'another trainer',
    0,
    { sequence: 4 },
    403,
    'FORBIDDEN',
  ],
  ['the owner is checked before plausibility', 'active', 'another trainer', 0, FAR, 403, 'FORBIDDEN'],
  ['a duplicate is found before the age', 'active', 'owner', 0, { sequence: 5, ageMs: 400_000 }, 201, 'none'],
  ['a duplicate is found before the rate', 'active', 'owner', 0, { sequence: 5 }, 201, 'none'],
  [
    'the same sequence from elsewhere is stale, before plausibility',
    'active',
    'owner',
    LATER,
    { ...FAR, sequence: 5 },
    409,
    'LOCATION_STALE',
  ],
  ['the sequence is checked before the rate', 'active', 'owner', 0, { sequence: 4 }, 409, 'LOCATION_STALE'],
  [
    'it is checked before plausibility',
    'active',
    'owner',
    LATER,
    { ...FAR, sequence: 4 },
    409,
    'LOCATION_STALE',
  ],
  [
    'the rate is checked before plausibility',
    'active',
    'owner',
    0,
    { ...FAR, sequence: 6 },
    429,
    'RATE_LIMITED',
  ],
])('%s', async (_rule, state, caller, afterMs, more, status, code) => {
  const session = state === 'scheduled' ? await aSession() : journey;
  const { sessionId, trainerToken, studentToken } = session;
  const body = { sessionId, ...metersNorth(500) };
  if (state !== 'scheduled') data(await service.api.update(trainerToken, { ...body, sequence: 5 }));
  if (state === 'ended') data(await service.api.stop(sessionId, trainerToken));
  const stranger = await tokenFor(randomUUID(), 'trainer');
  const token = { owner: trainerToken, 'another trainer': stranger, student: studentToken, nobody: 'none' }[
    caller
  ];
  clock.advance(afterMs);
  const answer = await service.api.update(token, typeof more === 'string' ? more : { ...body, ...more });
  expect(refusal(answer)).toMatchObject({ status, code });
});

test('an update of an unknown session finds no journey', async () => {
  const token = await tokenFor(randomUUID(), 'trainer');
  const answer = await service.api.update(token, { sessionId: randomUUID(), ...metersNorth(1) });
  expect(refusal(answer)).toMatchObject({ status: 404, code: 'JOURNEY_NOT_ACTIVE' });
});

test('an update after the end gets the reason and the time of the end', async () => {
  const { stoppedAt } = data(await service.api.stop(journey.sessionId, journey.trainerToken));
  expect(refusal(await postNext({}))).toEqual({
    status: 410,
    code: 'JOURNEY_ENDED',
    details: { reason: 'cancelled', endedAt: stoppedAt },
  });
});

describe('a duplicate', () => {
  test('gets the first answer again', async () => {
    const first = await post({ sequence: 0 });
    expect(data(first)).toEqual({
      ...{ sessionId: journey.sessionId, ttl: 300, nextUpdateMs: 5000 },
      timestamp: iso(clock.now()),
    });
    for (const laterMs of [0, 4_000, 60_000]) {
      clock.advance(laterMs);
      const again = await post({ sequence: 0 });
      expect([again.status, again.body]).toEqual([201, first.body]);
    }
  });

  test('writes nothing', async () => {
    data(await post({ sequence: 3 }));
    const location = keyOf.location(journey.trainerId, journey.sessionId);
    const before = await contentOf(location);
    await sharedRedis().expire(location, 100);
    data(await postNext({ sequence: 3, accuracy: 7 }));
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

  test.each([5, 500])(
    'is one with the same place: elsewhere, with accuracy %d, it is another phone',
    async (accuracy) => {
      data(await post({ sequence: 3, accuracy }));
      const location = keyOf.location(journey.trainerId, journey.sessionId);
      const before = await contentOf(location);
      const stale = { status: 409, code: STALE, details: { lastSequence: 3 } };
      expect(refusal(await postNext({ sequence: 3, ...metersNorth(501), accuracy }))).toEqual(stale);
      expect(await contentOf(location)).toBe(before);
      expect((await postNext({ sequence: 3, accuracy })).status).toBe(201);
      expect((await postNext({ sequence: 4, ...metersNorth(501), accuracy })).status).toBe(201);
    },
  );

  test('is of one journey: the same sequence in the next one is a new position', async () => {
    data(await post({ sequence: 1 }));
    data(await service.api.stop(journey.sessionId, journey.trainerToken));
    data(await service.api.start(journey.sessionId, journey.trainerToken));
    expect(data(await postNext({ sequence: 1 }))).toMatchObject({ timestamp: iso(clock.now()) });
  });
});

const ACCEPTED = 'none';
const STALE = 'LOCATION_STALE';
const MAX = Number.MAX_SAFE_INTEGER;
const gaps = [0, 1, 10, 1_000_000, MAX - 1];

test.each<[rule: string, posts: object[], codes: string[]]>([
  ['a sequence may leave gaps', gaps.map((sequence) => ({ sequence })), gaps.map(() => ACCEPTED)],
  ['a sequence is exact up to 2^53-1', [{ sequence: MAX }, { sequence: MAX - 1 }], [ACCEPTED, STALE]],
  [
    'a position without a sequence does not reset it',
    [{ sequence: 12 }, {}, { sequence: 11 }],
    [ACCEPTED, ACCEPTED, STALE],
  ],
  [
    'the sequence of a coarse position counts',
    [{ sequence: 12, accuracy: 500 }, { sequence: 11 }],
    [ACCEPTED, STALE],
  ],
  [
    'the sequence of a refused position does not count',
    [{ sequence: 1 }, { sequence: 50, ...FAR }, { sequence: 2 }],
    [ACCEPTED, 'LOCATION_IMPLAUSIBLE', ACCEPTED],
  ],
  [
    'the age of a refused position does not count',
    [{ ageMs: 60_000 }, FAR, { ageMs: 20_000 }],
    [ACCEPTED, 'LOCATION_IMPLAUSIBLE', ACCEPTED],
  ],
  ['a fix of 5 minutes ago is accepted', [{ ageMs: 300_000 }], [ACCEPTED]],
  ['a fix of over 5 minutes ago is stale', [{ ageMs: 300_001 }], [STALE]],
  ['a fix of any time before is stale', [{ ageMs: MAX }], [STALE]],
  ['a fix older than the last accepted one is stale', [{}, { ageMs: 5_001 }], [ACCEPTED, STALE]],
  [
    'it is stale with a higher sequence, too',
    [{ sequence: 1 }, { sequence: 2, ageMs: 5_001 }],
    [ACCEPTED, STALE],
  ],
  ['a fix at the time and place of the last one is accepted', [{}, { ageMs: 5_000 }], [ACCEPTED, ACCEPTED]],
  [
    'the times of fixes are compared, not the times of their updates',
    [{ ageMs: 30_000 }, { ageMs: 20_000 }, { ageMs: 25_001 }],
    [ACCEPTED, ACCEPTED, STALE],
  ],
])('%s', async (_rule, posts, codes) => {
  const answered: string[] = [];
  for (const each of posts) answered.push(refusal(await postNext(each)).code);
  expect(answered).toEqual(codes);
});

test('a lower sequence is stale with the last one in the details, also after the location has expired', async () => {
  data(await post({ sequence: 12 }));
  const before = await live();
  const stale = { status: 409, code: STALE, details: { lastSequence: 12 } };
  expect(refusal(await postNext({ sequence: 11, ...metersNorth(490) }))).toEqual(stale);
  expect((await live())['location']).toEqual(before['location']);
  await sharedRedis().del(keyOf.location(journey.trainerId, journey.sessionId));
  expect(refusal(await postNext({ sequence: 11 }))).toEqual(stale);
});

test('live shows the age since the fix and the time at which the update came', async () => {
  data(await post({ ageMs: 4_000 }));
  const cameAt = iso(clock.now());
  clock.advance(1_500);
  expect(await live()).toMatchObject({ ageMs: 5_500, lastUpdate: cameAt, location: { timestamp: cameAt } });
});
