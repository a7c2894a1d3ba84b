import { LoadMonitor } from '../../src/telemetry/load-monitor.js';

/** The monitor after this many seconds with the same utilization and median delay. */
function after(seconds: number, utilization: number, delayMs = 0, monitor = new LoadMonitor()): LoadMonitor {
  for (let second = 0; second < seconds; second++) monitor.update(utilization, delayMs);
  return monitor;
}

test('without overload the interval is not stretched', () => {
  expect(after(1_000, 0.65, 10).stretch).toBe(1);
});

test('the stretch increases with the utilization, up to 3', () => {
  const stretches = [0.7, 0.75, 0.9, 1].map((utilization) => after(200, utilization).stretch);
  expect(stretches).toEqual([1.4, 1.8, 3, 3].map((stretch) => expect.closeTo(stretch) as number));
});

test('the stretch increases with the delay at any utilization', () => {
  const stretches = [20, 35, 60, 10_000].map((delayMs) => after(200, 0.5, delayMs).stretch);
  expect(stretches).toEqual([1.4, 2, 3, 3].map((stretch) => expect.closeTo(stretch) as number));
});

test('one long pause stretches by a fifth at most, ten busy seconds by more than two', () => {
  expect(after(1, 1, 1_000).stretch).toBeLessThanOrEqual(1.2 + 1e-9);
  expect(after(10, 1).stretch).toBeGreaterThan(2);
});

test('the stretch decreases by at most 0.02 per second, down to 1', () => {
  const monitor = after(200, 1);
  for (let second = 0; second < 99; second++) {
    const before = monitor.stretch;
    monitor.update(0, 0);
    expect(before - monitor.stretch).toBeLessThanOrEqual(0.02 + 1e-9);
  }
  expect(after(100, 0, 0, monitor).stretch).toBeLessThan(1.01);
});
