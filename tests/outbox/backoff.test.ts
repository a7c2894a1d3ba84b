import { backoffMs } from '../../src/outbox/backoff.js';

const shortest = (failures: number) => backoffMs(failures, () => 0);
const longest = (failures: number) => backoffMs(failures, () => 1);

test('the longest back-off doubles with each failure, up to 30 s', () => {
  expect([1, 2, 3, 7, 8, 100, 10_000].map(longest)).toEqual([
    400, 800, 1_600, 25_600, 30_000, 30_000, 30_000,
  ]);
});

test('the back-off is between 100 ms and the longest, in proportion to the random number', () => {
  expect([1, 8].map(shortest)).toEqual([100, 100]);
  expect(backoffMs(8, () => 0.5)).toBe(15_000);
});
