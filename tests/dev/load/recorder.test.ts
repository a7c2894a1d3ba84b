import { Times } from '../../../src/dev/load/measurements.js';
import { Phase, Recorder } from '../../../src/dev/load/recorder.js';

test('percentiles are exact to a thousandth', () => {
  const times = new Times();
  expect(times.spread()).toBeUndefined();
  for (let ms = 1; ms <= 1_000; ms += 1) times.add(ms);
  const spread = times.spread();
  expect(spread?.count).toBe(1_000);
  expect(Math.abs((spread?.p50 ?? 0) - 500)).toBeLessThan(2);
  expect(Math.abs((spread?.p99 ?? 0) - 990)).toBeLessThan(2);
  expect(Math.abs((spread?.max ?? 0) - 1_000)).toBeLessThan(2);
});

test('faults are counted by kind, the most frequent first', () => {
  const recorder = new Recorder();
  for (const what of ['a', 'b', 'b']) recorder.fault(what);
  expect(recorder.faults).toEqual([
    { what: 'b', count: 2 },
    { what: 'a', count: 1 },
  ]);
});

test('an arrival is compared with the range of each answer that has one', () => {
  const phase = new Phase();
  const range = { etaSeconds: 100, etaLowSeconds: 80, etaHighSeconds: 120 };
  phase.compareEta(range, 90);
  phase.compareEta(range, 130);
  phase.compareEta({ ...range, etaLowSeconds: null, etaHighSeconds: null }, 100);
  expect(phase.eta).toEqual({ answers: 3, withRange: 2, inside: 1 });
  expect(phase.etaErrors.spread()).toMatchObject({ count: 3, max: expect.closeTo(30_000, -2) as number });
});
