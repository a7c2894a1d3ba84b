import { distanceMeters } from '../../src/journeys/distance.js';
import { isPlausible, type Fix } from '../../src/journeys/plausibility.js';
import { aJourney } from '../support/a-journey.js';
import { metersNorth } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { MovableClock } from '../support/movable-clock.js';
import { runService, type RunningService } from '../support/running-service.js';

const fix = (meters: number, fixMs: number, accuracy?: number): Fix => ({
  ...metersNorth(meters),
  fixMs,
  accuracy,
});
const isFine = (from: Fix, to: Fix) => isPlausible(from, to, 120);

test.each([
  [166.6, 5_000, true],
  [166.7, 5_000, false],
  [1_999.9, 60_000, true],
  [2_000.1, 60_000, false],
  [0, 0, true],
  [0.01, 0, false],
  [0, 5_000, true],
])('%d m in %d ms at 120 km/h: %s', (meters, ms, expected) => {
  expect(isFine(fix(0, 1_000), fix(meters, 1_000 + ms))).toBe(expected);
});

test('exactly the most is plausible', () => {
  // A power of two, so that the division is exact.
  const [from, to] = [fix(0, 0), fix(500, 8_192)];
  const speedKmh = (distanceMeters(from, to) * 3600) / 8_192;
  expect(isPlausible(from, to, speedKmh)).toBe(true);
  expect(isPlausible(from, to, speedKmh * (1 - 1e-12))).toBe(false);
});

test.each([
  [20, undefined, 20],
  [undefined, 20, 20],
  [10, 15, 25],
  [30, 30, 60],
  [100, 100, 60],
  [1_000, undefined, 30],
  [undefined, undefined, 0],
  [0, 0, 0],
])('accuracies of %p and %p m allow for %d m', (first, second, allowance) => {
  const most = (120 / 3.6) * 5 + allowance;
  expect(isFine(fix(0, 0, first), fix(most - 0.01, 5_000, second))).toBe(true);
  expect(isFine(fix(0, 0, first), fix(most + 0.01, 5_000, second))).toBe(false);
});

test('two fixes at the same time within their accuracies are plausible', () => {
  expect(isFine(fix(0, 0, 5), fix(9.9, 0, 5))).toBe(true);
  expect(isFine(fix(0, 0, 5), fix(10.1, 0, 5))).toBe(false);
});

describe('the service judges as the function does', () => {
  const clock = new MovableClock();
  let service: RunningService;
  beforeAll(async () => {
    service = await runService({ clock: clock.now });
  });
  afterAll(() => service.stop());

  interface Sent {
    latitude: number;
    longitude: number;
    accuracy?: number;
    ageMs: number;
  }
  const random = (from: number, to: number) => from + Math.random() * (to - from);
  const maybeAccuracy = () => (Math.random() < 0.3 ? {} : { accuracy: random(0, 100) });

  /** Two positions whose distance is near what can just be driven between them. */
  function aPair(gapMs: number): [first: Sent, second: Sent] {
    const first = { latitude: random(-80, 80), longitude: random(-179, 179), ...maybeAccuracy() };
    const sent = [Math.round(random(0, 4_000)), Math.round(random(0, 4_000))] as const;
    const meters =
      (120 / 3.6 / 1000) * Math.max(0, gapMs + sent[0] - sent[1]) * random(0.7, 1.1) + random(0, 60);
    const bearing = random(0, 2 * Math.PI);
    const north = (meters * Math.cos(bearing)) / 111_195.08;
    const east = (meters * Math.sin(bearing)) / 111_195.08 / Math.cos((first.latitude * Math.PI) / 180);
    const second = {
      latitude: first.latitude + north,
      longitude: first.longitude + east,
      ...maybeAccuracy(),
    };
    return [
      { ...first, ageMs: sent[0] },
      { ...second, ageMs: sent[1] },
    ];
  }

  test.each([4_000, 5_000, 30_000])('of random pairs, %d ms apart', async (gapMs) => {
    const pairs = await Promise.all(
      Array.from({ length: 60 }, async () => ({ journey: await aJourney(service.api), pair: aPair(gapMs) })),
    );
    const sendAll = (which: 0 | 1) =>
      Promise.all(
        pairs.map(({ journey: { sessionId, trainerToken }, pair }) =>
          service.api.update(trainerToken, { sessionId, ...pair[which] }),
        ),
      );
    for (const answer of await sendAll(0)) data(answer);
    clock.advance(gapMs);
    const judged = (await sendAll(1)).map((answer) =>
      answer.status === 201 ? 'plausible' : refusal(answer).code,
    );
    const expected = pairs.map(({ pair: [first, second] }) => {
      const from = { ...first, fixMs: -first.ageMs };
      const to = { ...second, fixMs: gapMs - second.ageMs };
      if (to.fixMs < from.fixMs) return 'LOCATION_STALE';
      return isFine(from, to) ? 'plausible' : 'LOCATION_IMPLAUSIBLE';
    });
    expect(judged).toEqual(expected);
    // Neither of the two says the same of everything.
    expect(new Set(judged).size).toBeGreaterThan(1);
  });
});
