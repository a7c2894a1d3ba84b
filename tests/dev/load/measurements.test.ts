import { Counts, Times } from '../../../src/dev/load/measurements.js';
import { Recorder, Stretch } from '../../../src/dev/load/recorder.js';
import { ClockOffset } from '../../../src/dev/load/clock-offset.js';

test('the spread of times is exact to a thousandth', () => {
  const times = new Times();
  for (let ms = 1; ms <= 1_000; ms += 1) times.add(ms);
  const spread = times.spread();
  expect(spread?.count).toBe(1_000);
  expect(spread?.p50).toBeCloseTo(500, -1);
  expect(Math.abs((spread?.p95 ?? 0) - 950)).toBeLessThan(2);
  expect(Math.abs((spread?.p99 ?? 0) - 990)).toBeLessThan(2);
  expect(Math.abs((spread?.max ?? 0) - 1_000)).toBeLessThan(2);
});

test('nothing measured is no spread, and times below the least and above the most count too', () => {
  const times = new Times();
  expect(times.spread()).toBeUndefined();
  times.add(-3);
  times.add(0);
  times.add(1e12);
  expect(times.spread()?.count).toBe(3);
});

test('counts add up and come in the order of their names', () => {
  const counts = new Counts();
  for (const name of ['304', '200', '304']) counts.add(name);
  expect(counts.total).toBe(3);
  expect(JSON.stringify(counts.toObject())).toBe('{"200":1,"304":2}');
});

test('a call belongs to the part of the run in which it was due', () => {
  const recorder = new Recorder();
  expect(recorder.stretchAt(10)).toBe(recorder.rampUp);
  recorder.beginSteady(100);
  recorder.end(200);
  expect([99, 100, 199, 200].map((ms) => recorder.stretchAt(ms))).toEqual([
    recorder.rampUp,
    recorder.steady,
    recorder.steady,
    recorder.ending,
  ]);
});

test('what went wrong is counted by its kind, the most frequent first, and kinds are bounded', () => {
  const recorder = new Recorder();
  recorder.wrong('a');
  recorder.wrong('b');
  recorder.wrong('b');
  expect(recorder.wrongs).toEqual([
    { what: 'b', count: 2 },
    { what: 'a', count: 1 },
  ]);
  for (let kind = 0; kind < 1_000; kind += 1) recorder.wrong(`kind ${kind}`);
  expect(recorder.wrongs.length).toBeLessThanOrEqual(201);
  expect(recorder.wrongs.reduce((sum, { count }) => sum + count, 0)).toBe(1_003);
});

test('an arrival counts for each answer that had a range, and for none that had none', () => {
  const stretch = new Stretch();
  stretch.compareEta({ etaSeconds: 100, etaLowSeconds: 80, etaHighSeconds: 120 }, 90);
  stretch.compareEta({ etaSeconds: 100, etaLowSeconds: 80, etaHighSeconds: 120 }, 130);
  stretch.compareEta({ etaSeconds: 100, etaLowSeconds: null, etaHighSeconds: null }, 100);
  stretch.compareEta({ etaSeconds: null }, 100);
  expect(stretch.eta).toEqual({ answers: 4, withRange: 2, inside: 1 });
  expect(stretch.etaErrors.spread()).toMatchObject({ count: 3, max: expect.closeTo(30_000, -2) as number });
});

test("the offset of another machine's clock is what the quickest answer says", () => {
  const offset = new ClockOffset('service.example');
  const serverIs = (aheadMs: number) => new Date(Date.now() + aheadMs).toISOString();
  offset.compare(serverIs(5_000), 400);
  offset.compare(serverIs(3_000), 20);
  offset.compare(serverIs(9_000), 300);
  expect(Math.abs(offset.ms - 3_010)).toBeLessThan(20);
  expect(Math.abs(offset.since(serverIs(3_000)))).toBeLessThan(30);
});

test('on this machine there is but one clock', () => {
  const offset = new ClockOffset('127.0.0.1');
  offset.compare(new Date(Date.now() + 5_000).toISOString(), 1);
  expect(offset.ms).toBe(0);
});
