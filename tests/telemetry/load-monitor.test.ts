import { LoadMonitor } from '../../src/telemetry/load-monitor.js';

/** Of so many seconds, each like this; delayMs: the event loop's median delay. */
function after(seconds: number, utilization: number, delayMs = 0, busyness = new LoadMonitor()): LoadMonitor {
  for (let second = 0; second < seconds; second++) busyness.update(utilization, delayMs);
  return busyness;
}

test('while there is room phones are not put off', () => {
  expect(after(1_000, 0.65, 10).stretch).toBe(1);
});

test('the less room there is, the further phones are put off, to three times their interval', () => {
  const stretches = [0.7, 0.75, 0.9, 1].map((utilization) => after(200, utilization).stretch);
  expect(stretches).toEqual([1.4, 1.8, 3, 3].map((stretch) => expect.closeTo(stretch) as number));
});

test('phones are put off where requests are late, whatever room there seems to be', () => {
  const stretches = [20, 35, 60, 10_000].map((delayMs) => after(200, 0.5, delayMs).stretch);
  expect(stretches).toEqual([1.4, 2, 3, 3].map((stretch) => expect.closeTo(stretch) as number));
});

test('one long pause puts phones off by a fifth at the most, ten busy seconds by more than their interval', () => {
  expect(after(1, 1, 1_000).stretch).toBeLessThanOrEqual(1.2 + 1e-9);
  expect(after(10, 1).stretch).toBeGreaterThan(2);
});

test('phones that were put off are brought back so slowly that they do not come together, and all the way', () => {
  const busyness = after(200, 1);
  for (let second = 0; second < 99; second++) {
    const before = busyness.stretch;
    busyness.update(0, 0);
    expect(before - busyness.stretch).toBeLessThanOrEqual(0.02 + 1e-9);
  }
  expect(after(100, 0, 0, busyness).stretch).toBeLessThan(1.01);
});
