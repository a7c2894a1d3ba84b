import { aJourney } from '../support/a-journey.js';
import { metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { MovableClock } from '../support/movable-clock.js';
import { runService, type RunningService } from '../support/running-service.js';

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

const post = (meters: number, more: object = {}) =>
  service.api.update(journey.trainerToken, { sessionId: journey.sessionId, ...metersNorth(meters), ...more });
const live = async () => data(await service.api.live(journey.sessionId, journey.studentToken));

/** The outcome of a position so many metres from the home, so much later. */
async function outcomeOf(meters: number, afterMs: number, more: object = {}): Promise<string> {
  clock.advance(afterMs);
  const answer = await post(meters, more);
  return answer.status === 201 ? 'accepted' : refusal(answer).code;
}

const IMPLAUSIBLE = 'LOCATION_IMPLAUSIBLE';
const PER_SECOND = 120 / 3.6;

test('the first position has nothing to be compared with', async () => {
  expect((await post(5_000_000)).status).toBe(201);
});

test.each([4_500, 5_000, 600_000])('over %d ms, 120 km/h is the most', async (ms) => {
  const most = (PER_SECOND * ms) / 1000;
  data(await post(0));
  expect(await outcomeOf(most + 0.01, ms)).toBe(IMPLAUSIBLE);
  expect(await outcomeOf(most * 2 - 0.01, ms)).toBe('accepted');
});

test('an implausible position changes nothing, and the one before stays the reference', async () => {
  data(await post(0, { sequence: 1 }));
  const before = await live();
  expect(await outcomeOf(10_000, 5_000, { sequence: 2 })).toBe(IMPLAUSIBLE);
  expect((await live())['location']).toEqual(before['location']);
  expect(await outcomeOf(50, 5_000, { sequence: 3 })).toBe('accepted');
});

test('after a real jump, such as out of a tunnel, the way is plausible again with time', async () => {
  data(await post(0));
  const outcomes: string[] = [];
  for (let beat = 1; beat <= 7; beat++) outcomes.push(await outcomeOf(990, 5_000));
  expect(outcomes).toEqual([...Array.from({ length: 5 }, () => IMPLAUSIBLE), 'accepted', 'accepted']);
});

describe('the accuracies', () => {
  const most = PER_SECOND * 5;

  test.each([
    ['of the new position', undefined, 20, 20],
    ['of both', 10, 25, 35],
    ['capped at 30 m each', 90, 100, 60],
    ['that are unknown as nothing', -1, null, 0],
  ])('count %s', async (_what, first, second, allowance) => {
    data(await post(0, { accuracy: first }));
    expect(await outcomeOf(most + allowance + 0.01, 5_000, { accuracy: second })).toBe(IMPLAUSIBLE);
    expect(await outcomeOf(most * 2 + allowance - 0.01, 5_000, { accuracy: second })).toBe('accepted');
  });

  test('make a small hop at the same time plausible', async () => {
    data(await post(0, { accuracy: 5 }));
    expect(await outcomeOf(9.9, 5_000, { accuracy: 5, ageMs: 5_000 })).toBe('accepted');
  });
});

describe('two fixes at the same time', () => {
  test('are implausible where they are apart', async () => {
    data(await post(0));
    expect(await outcomeOf(1, 5_000, { ageMs: 5_000 })).toBe(IMPLAUSIBLE);
  });

  test('are plausible where they are not', async () => {
    data(await post(0));
    expect(await outcomeOf(0, 5_000, { ageMs: 5_000 })).toBe('accepted');
  });
});

test('the time is that between the fixes, not between the posts', async () => {
  data(await post(0));
  // 5 s between the posts, 1 s between the fixes.
  expect(await outcomeOf(100, 5_000, { ageMs: 4_000 })).toBe(IMPLAUSIBLE);
  // 5 s between the posts, 10 s since the last fix, 9 s of it between the fixes.
  expect(await outcomeOf(299, 5_000, { ageMs: 1_000 })).toBe('accepted');
});

test('an old first fix leaves more time for the way to the second', async () => {
  data(await post(0, { ageMs: 60_000 }));
  expect(await outcomeOf(2_100, 5_000)).toBe('accepted');
});

test('over the date line it is not far', async () => {
  const at = (longitude: number) => ({ latitude: 0, longitude });
  data(await post(0, at(179.9996)));
  clock.advance(5_000);
  expect((await post(0, at(-179.9996))).status).toBe(201);
});

test('at the pole every longitude is the same place', async () => {
  data(await post(0, { latitude: 90, longitude: 0 }));
  clock.advance(5_000);
  expect((await post(0, { latitude: 90, longitude: 180 })).status).toBe(201);
});

test('the other end of the world is implausible, not NaN', async () => {
  data(await post(0, { latitude: 12.5, longitude: 77.5 }));
  clock.advance(5_000);
  expect(refusal(await post(0, { latitude: -12.5, longitude: -102.5 }))).toMatchObject({ code: IMPLAUSIBLE });
});

describe('a coarse position', () => {
  test('is not judged', async () => {
    data(await post(0));
    expect(await outcomeOf(50_000, 5_000, { accuracy: 101 })).toBe('accepted');
  });

  test('is shown with its uncertainty', async () => {
    data(await post(0, { accuracy: 5 }));
    expect(await outcomeOf(3_000, 5_000, { accuracy: 800, speed: 0 })).toBe('accepted');
    const { location, uncertaintyMeters } = await live();
    expect(location).toMatchObject({ ...metersNorth(3_000), accuracy: 800 });
    expect(uncertaintyMeters).toBeGreaterThanOrEqual(800);
  });

  test('that is first and far away does not refuse the precise ones after it', async () => {
    data(await post(80_000, { accuracy: 2_500 }));
    expect(await outcomeOf(0, 5_000, { accuracy: 5 })).toBe('accepted');
    expect(await outcomeOf(100, 5_000, { accuracy: 5 })).toBe('accepted');
  });

  test('in between leaves the good one before it as the reference', async () => {
    data(await post(0));
    expect(await outcomeOf(40_000, 5_000, { accuracy: 2_500 })).toBe('accepted');
    expect(await outcomeOf(40_000, 5_000)).toBe(IMPLAUSIBLE);
    expect(await outcomeOf(400, 5_000)).toBe('accepted');
  });

  test('is one of over 100 m: one of 100 m is judged', async () => {
    data(await post(0));
    expect(await outcomeOf(50_000, 5_000, { accuracy: 100 })).toBe(IMPLAUSIBLE);
    expect(await outcomeOf(50_000, 5_000, { accuracy: 100.001 })).toBe('accepted');
  });

  test('uses the slot as any accepted one', async () => {
    data(await post(0, { accuracy: 500 }));
    expect(refusal(await post(0))).toMatchObject({ code: 'RATE_LIMITED' });
  });
});
