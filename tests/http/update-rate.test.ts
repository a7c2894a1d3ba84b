import { aJourney, anotherSessionInReach, anotherSessionOf } from '../support/a-journey.js';
import { metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { MovableClock } from '../support/movable-clock.js';
import { runService, type RunningService } from '../support/running-service.js';

const clock = new MovableClock();
let service: RunningService;
beforeAll(async () => {
  service = await runService({ clock: clock.now });
});
afterAll(() => service.stop());

const post = ({ sessionId, trainerToken }: ASession, more: object = {}) =>
  service.api.update(trainerToken, { sessionId, ...metersNorth(500), ...more });

async function statusOf(journey: ASession, more: object = {}): Promise<number> {
  return (await post(journey, more)).status;
}

/** Posts at each of these moments, in ms from now; the statuses in the same order. */
async function postsAt(journey: ASession, moments: number[]): Promise<number[]> {
  const begin = clock.now();
  const statuses: number[] = [];
  for (const moment of moments) {
    clock.advance(begin + moment - clock.now());
    statuses.push(await statusOf(journey));
  }
  return statuses;
}

const beats = (count: number, everyMs: number) =>
  Array.from({ length: count }, (_none, beat) => beat * everyMs);

test('a phone that posts every 5 s is never refused', async () => {
  const statuses = await postsAt(await aJourney(service.api), beats(13, 5_000));
  expect(statuses).toEqual(Array.from({ length: 13 }, () => 201));
});

test.each([
  ['up to 1 s early', (random: number) => -1_000 * random],
  ['up to half a second early or late', (random: number) => 1_000 * random - 500],
  ['up to 1 s late', (random: number) => 1_000 * random],
])('phones whose posts come %s of their 5 s are not refused once in a minute', async (_what, jitter) => {
  for (let phone = 0; phone < 5; phone++) {
    // The first is on the beat: what is early is early of that.
    const moments = beats(13, 5_000).map((moment, n) =>
      Math.round(moment + (n === 0 ? 0 : jitter(Math.random()))),
    );
    const statuses = await postsAt(await aJourney(service.api), moments);
    expect({ moments, refused: statuses.filter((status) => status !== 201) }).toEqual({
      moments,
      refused: [],
    });
  }
});

test('a phone that posts every second gets an update through at most every 4 s, and every 5 s in the long run', async () => {
  const statuses = await postsAt(await aJourney(service.api), beats(61, 1_000));
  const taken = statuses.flatMap((status, second) => (status === 201 ? [second] : []));
  expect(taken.slice(1).every((second, n) => second - (taken[n] ?? 0) >= 4)).toBe(true);
  expect(taken.length).toBeLessThanOrEqual(13);
  expect(taken.length).toBeGreaterThanOrEqual(12);
});

test('a long silence saves up nothing', async () => {
  const journey = await aJourney(service.api);
  expect(await postsAt(journey, [0, 240_000, 240_001, 243_999, 244_000])).toEqual([201, 201, 429, 429, 201]);
});

test.each([
  [0, 4_000, '4'],
  [999, 3_001, '4'],
  [1_000, 3_000, '3'],
  [3_999, 1, '1'],
])('%d ms after an update retryAfterMs is %d', async (sinceMs, retryAfterMs, retryAfter) => {
  const journey = await aJourney(service.api);
  data(await post(journey));
  clock.advance(sinceMs);
  const answer = await post(journey);
  expect(refusal(answer)).toEqual({ status: 429, code: 'RATE_LIMITED', details: { retryAfterMs } });
  expect(answer.headers['retry-after']).toBe(retryAfter);
});

test('of 100 simultaneous updates one is accepted', async () => {
  const journey = await aJourney(service.api);
  const statuses = await Promise.all(Array.from({ length: 100 }, () => statusOf(journey)));
  expect(statuses.filter((status) => status === 201)).toHaveLength(1);
  expect(statuses.filter((status) => status === 429)).toHaveLength(99);
});

test('100 simultaneous updates of one sequence all get the first answer', async () => {
  const journey = await aJourney(service.api);
  const answers = await Promise.all(Array.from({ length: 100 }, () => post(journey, { sequence: 1 })));
  expect(new Set(answers.map((answer) => JSON.stringify([answer.status, answer.body]))).size).toBe(1);
  expect(answers[0]?.status).toBe(201);
});

test('the rate is of the trainer, over all journeys, in a cluster over those of a partition, and a 429 says so', async () => {
  const first = await aJourney(service.api);
  const second = await anotherSessionInReach(first);
  data(await service.api.start(second.sessionId, second.trainerToken));
  expect(await statusOf(first)).toBe(201);
  const refused = await service.api.update(second.trainerToken, {
    sessionId: second.sessionId,
    ...metersNorth(9),
  });
  expect(refusal(refused)).toMatchObject({ status: 429, code: 'RATE_LIMITED' });
  expect(refused.body['message']).toMatch(/of this trainer, over all sessions/);
});

test('the rate of one trainer is not that of another', async () => {
  const [first, second] = [await aJourney(service.api), await aJourney(service.api)];
  expect([await statusOf(first), await statusOf(second)]).toEqual([201, 201]);
});

test('the end of a journey and the start of the next do not free the slot', async () => {
  const journey = await aJourney(service.api);
  data(await post(journey));
  data(await service.api.stop(journey.sessionId, journey.trainerToken));
  data(await service.api.start(journey.sessionId, journey.trainerToken));
  expect(await statusOf(journey)).toBe(429);
});

test('an implausible update uses the slot', async () => {
  const journey = await aJourney(service.api);
  data(await post(journey));
  clock.advance(5_000);
  expect(refusal(await post(journey, metersNorth(90_000)))).toMatchObject({ code: 'LOCATION_IMPLAUSIBLE' });
  expect(refusal(await post(journey))).toMatchObject({
    code: 'RATE_LIMITED',
    details: { retryAfterMs: 4_000 },
  });
});

test.each([
  ['one that came too early', {}, 3_000, 429],
  ['a duplicate', { sequence: 5 }, 5_000, 201],
  ['a lower sequence', { sequence: 4 }, 5_000, 409],
  ['a fix older than the last', { sequence: 6, ageMs: 6_000 }, 5_000, 409],
  ['a fix older than 5 minutes', { sequence: 6, ageMs: 300_001 }, 5_000, 409],
  ['a mocked position', { sequence: 6, mocked: true }, 5_000, 400],
  ['a bad body', { sequence: 6, latitude: 91 }, 5_000, 400],
])('%s uses no slot', async (_what, more, afterMs, status) => {
  const journey = await aJourney(service.api);
  data(await post(journey, { sequence: 5 }));
  clock.advance(afterMs);
  for (let n = 0; n < 3; n++) expect(await statusOf(journey, more)).toBe(status);
  clock.advance(Math.max(0, 4_000 - afterMs));
  expect(await statusOf(journey, { sequence: 7 })).toBe(201);
});

test("an update to somebody else's journey uses no slot", async () => {
  const [mine, theirs] = [await aJourney(service.api), await aJourney(service.api)];
  expect(await statusOf({ ...theirs, trainerToken: mine.trainerToken })).toBe(403);
  expect([await statusOf(mine), await statusOf(theirs)]).toEqual([201, 201]);
});

test('an update to no journey uses no slot', async () => {
  const journey = await aJourney(service.api);
  const notStarted = await anotherSessionOf(journey);
  expect(await statusOf(notStarted)).toBe(404);
  expect(await statusOf(journey)).toBe(201);
});
