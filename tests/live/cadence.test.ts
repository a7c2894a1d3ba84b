import {
  idlePollMs,
  nextPollMs,
  ordinaryCadence,
  extraIntervalMs,
  type Cadence,
} from '../../src/live/cadence.js';
import { jittered } from '../../src/journeys/jitter.js';
import type { LiveLocation } from '../../src/journeys/journey.js';

const NOW = Date.UTC(2025, 5, 1, 12);

function location(nextUpdateMs?: number): LiveLocation {
  const place = { latitude: 12.97, longitude: 77.6 };
  return { ...place, timestampMs: NOW, fixMs: NOW, ...(nextUpdateMs === undefined ? {} : { nextUpdateMs }) };
}
const pollAfter = (agoMs: number, nextUpdateMs?: number, cadence: Partial<Cadence> = {}) =>
  nextPollMs(location(nextUpdateMs), NOW + agoMs, { ...ordinaryCadence, ...cadence });

test.each([5_000, 7_300, 10_000, 15_000])(
  'a poll comes half a second after an update that is due in %d ms, whenever the student asks',
  (nextUpdateMs) => {
    for (let agoMs = 0; agoMs <= nextUpdateMs - 500; agoMs += 250) {
      expect(agoMs + pollAfter(agoMs, nextUpdateMs)).toBe(nextUpdateMs + 500);
    }
  },
);

test('a location of another version is taken for one with the ordinary interval', () => {
  expect(pollAfter(0)).toBe(5_500);
  expect(pollAfter(0, undefined, { updateIntervalMs: 8_000 })).toBe(8_500);
});

test('it is never sooner than in a second', () => {
  for (let agoMs = 4_500; agoMs <= 7_500; agoMs += 100) expect(pollAfter(agoMs, 5_000)).toBe(1_000);
});

test('an update that is overdue is asked for soon, then less and less often, and every 15 s at the least', () => {
  const pauses: number[] = [];
  for (let agoMs = 5_500; agoMs < 120_000; agoMs += pauses.at(-1) ?? 0) pauses.push(pollAfter(agoMs, 5_000));
  expect(pauses.slice(0, 4)).toEqual([1_000, 1_000, 1_000, 1_500]);
  expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
  expect(pauses.at(-1)).toBe(15_000);
  expect(pauses.length).toBeLessThan(18);
});

test('all pauses are whole milliseconds from 1 s to 15.5 s, whatever the times and the location', () => {
  for (const nextUpdateMs of [undefined, -1, 0, 1, 5_000.7, 15_000, 1e300]) {
    for (const agoMs of [-1e9, -1, 0, 0.3, 4_999, 60_000.4, 300_000, 1e12]) {
      for (const stretch of [1, 1.37, 3, 1e6]) {
        const pauseMs = pollAfter(agoMs, nextUpdateMs, { stretch });
        expect(Number.isInteger(pauseMs)).toBe(true);
        expect(pauseMs).toBeGreaterThanOrEqual(1_000);
        expect(pauseMs).toBeLessThanOrEqual(15_500);
      }
    }
  }
});

test('under overload a poll waits for the update as it will be put off', () => {
  expect(pollAfter(0, 5_000, { stretch: 2 })).toBe(10_500);
  // It is known already.
  expect(pollAfter(0, 10_000, { stretch: 2 })).toBe(10_500);
  expect(pollAfter(0, 15_000, { stretch: 2 })).toBe(15_500);
});

test('under overload an update that is late is asked for less often', () => {
  expect(pollAfter(10_600, 5_000, { stretch: 2 })).toBe(2_000);
  expect(pollAfter(100_000, 5_000, { stretch: 2 })).toBe(15_000);
});

test('without a position a poll is due every 4 s, under overload less often', () => {
  expect([1, 2, 3, 100].map((stretch) => idlePollMs({ ...ordinaryCadence, stretch }))).toEqual([
    ...[4_000, 8_000, 12_000, 15_000],
  ]);
  expect(nextPollMs(null, NOW, ordinaryCadence)).toBe(4_000);
});

test('an interval that is longer than 15 s is kept in step too', () => {
  expect(pollAfter(0, 30_000, { updateIntervalMs: 30_000 })).toBe(30_500);
});

test.each([
  [undefined, 0],
  [5_000, 0],
  [4_000, 0],
  [12_500, 7_500],
  [15_000, 10_000],
  [1e300, 10_000],
])('an update that was asked for in %p ms is put off by %d ms', (nextUpdateMs, relaxedMs) => {
  expect(extraIntervalMs(location(nextUpdateMs), ordinaryCadence)).toBe(relaxedMs);
});

test('phones that are put off are put off by different times, and others not at all', () => {
  const times = Array.from({ length: 1_000 }, () => jittered(2));
  expect(Math.min(...times)).toBeGreaterThanOrEqual(1.75);
  expect(Math.max(...times)).toBeLessThanOrEqual(2.25);
  expect(new Set(times.map((one) => one.toFixed(2))).size).toBeGreaterThan(40);
  expect(jittered(1)).toBe(1);
});
