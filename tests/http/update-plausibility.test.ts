import { aJourney } from '../support/a-journey.js';
import { metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { MovableClock } from '../support/movable-clock.js';
import { metric, runService, type RunningService } from '../support/running-service.js';
import { etagOf, poll, untilWaiting } from '../support/waiting-polls.js';

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

/** Of positions so many metres from the home, one every 5 s. */
async function outcomes(places: number[]): Promise<string[]> {
  const all: string[] = [];
  for (const meters of places) all.push(await outcomeOf(meters, 5_000));
  return all;
}

const [ACCEPTED, IMPLAUSIBLE] = ['accepted', 'LOCATION_IMPLAUSIBLE'];
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
  expect(await outcomes([390, 390, 390, 390])).toEqual([IMPLAUSIBLE, IMPLAUSIBLE, ACCEPTED, ACCEPTED]);
});

describe('after a wrong position', () => {
  const refused = [IMPLAUSIBLE, IMPLAUSIBLE, IMPLAUSIBLE];

  test.each([1_500, 10_000, 30_000, 5_000_000])(
    '%d m away the fourth of the others is accepted',
    async (meters) => {
      data(await post(meters, { accuracy: 4 }));
      expect(await outcomes([0, 150, 290, 440, 590])).toEqual([...refused, ACCEPTED, ACCEPTED]);
      expect((await live())['location']).toMatchObject(metersNorth(590));
      expect(await metric(service, 'location_updates_total', 'outcome="reanchored"')).toBeGreaterThan(0);
    },
  );

  test.each([
    [20, 500],
    [60, 1_500],
    [120, 3_000],
  ])('after a gap of %d s at most three others are refused', async (seconds, meters) => {
    data(await post(0));
    expect(await outcomeOf(meters, seconds * 1_000)).toBe(ACCEPTED);
    const after = await outcomes([0, 0, 0, 0]);
    expect(after.lastIndexOf(IMPLAUSIBLE)).toBeLessThanOrEqual(2);
  });

  test('one more wrong one in between does not start anew', async () => {
    data(await post(90_000));
    expect(await outcomes([0, -40_000, 100, 200, 300])).toEqual([...refused, IMPLAUSIBLE, ACCEPTED]);
  });

  test('a way that is too fast is none', async () => {
    data(await post(90_000));
    expect(await outcomes([0, 180, 360, 540, 720, 900])).toEqual([...refused, ...refused]);
  });
});

test('who jumps between two places is never believed at the second, or at a third', async () => {
  data(await post(0));
  const there = Array.from({ length: 24 }, (_, beat) => [20_000, 20_000, -30_000, 0][beat % 4] ?? 0);
  const expected = there.map((meters) => (meters === 0 ? ACCEPTED : IMPLAUSIBLE));
  expect(await outcomes(there)).toEqual(expected);
  expect(
    await outcomes(Array.from({ length: 24 }, (_, beat) => (beat % 2 === 0 ? 20_000 : -30_000))),
  ).toEqual(Array.from({ length: 24 }, () => IMPLAUSIBLE));
});

describe('a request that the network delays', () => {
  test.each([80, 100, 110])('by 8 s at %d km/h costs nothing afterwards', async (kmh) => {
    const at = (seconds: number) => (kmh / 3.6) * seconds;
    data(await post(at(0)));
    expect(await outcomeOf(at(5), 13_000)).toBe(ACCEPTED);
    for (let seconds = 18; seconds <= 60; seconds += 5) {
      expect(await outcomeOf(at(seconds), 5_000)).toBe(ACCEPTED);
    }
  });

  test('counts from when it was due: of 20 s at most 15', async () => {
    data(await post(0));
    expect(await outcomeOf(0, 25_000)).toBe(ACCEPTED);
    expect(await outcomeOf(PER_SECOND * 20 + 1, 5_000)).toBe(IMPLAUSIBLE);
    expect(await outcomeOf(PER_SECOND * 25 - 1, 5_000)).toBe(ACCEPTED);
  });

  test('counts from when the trainer can have come there', async () => {
    data(await post(0));
    // Late by 8 s, but 300 m take 9 s: so 6 s before the next at most.
    expect(await outcomeOf(300, 13_000)).toBe(ACCEPTED);
    expect(await outcomeOf(300 + PER_SECOND * 9 + 1, 5_000)).toBe(IMPLAUSIBLE);
  });

  test('of a phone that posts more often than asked is one later than the ordinary interval', async () => {
    data(await post(12_000));
    expect(await outcomes([12_000, 12_000])).toEqual([ACCEPTED, ACCEPTED]);
    expect(await outcomeOf(12_000, 13_000)).toBe(ACCEPTED);
    expect(await outcomeOf(12_000 + PER_SECOND * 13 - 1, 5_000)).toBe(ACCEPTED);
  });

  test('counts once: two punctual ones are judged by the time between them', async () => {
    data(await post(0));
    expect(await outcomeOf(0, 20_000)).toBe(ACCEPTED);
    expect(await outcomeOf(0, 5_000)).toBe(ACCEPTED);
    expect(await outcomeOf(PER_SECOND * 5 + 1, 5_000)).toBe(IMPLAUSIBLE);
  });
});

describe("when Redis' clock steps back", () => {
  test.each([10, 60, 3_600])('by %d s the next position is judged as usual', async (seconds) => {
    data(await post(0, { sequence: 1 }));
    expect(await outcomeOf(100, 5_000, { sequence: 2 })).toBe(ACCEPTED);
    clock.advance(-seconds * 1_000);
    expect(await outcomeOf(200, 5_000, { sequence: 3 })).toBe(ACCEPTED);
    expect((await live())['location']).toMatchObject({ ...metersNorth(200), sequence: 3 });
    expect(await outcomeOf(10_000, 5_000, { sequence: 4 })).toBe(IMPLAUSIBLE);
    expect(await outcomeOf(300, 5_000, { sequence: 5 })).toBe(ACCEPTED);
  });

  test('one that is too far is refused as usual', async () => {
    data(await post(0));
    clock.advance(-60_000);
    expect(await outcomeOf(10_000, 5_000)).toBe(IMPLAUSIBLE);
    expect(await outcomeOf(200, 5_000)).toBe(ACCEPTED);
  });

  test('a student who waits gets the next position', async () => {
    data(await post(0));
    const waiting = poll(service, journey, await etagOf(service, journey));
    await untilWaiting(service, 1);
    clock.advance(-60_000);
    expect(await outcomeOf(100, 5_000)).toBe(ACCEPTED);
    expect(data(await waiting)).toMatchObject({ location: metersNorth(100) });
  });
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
