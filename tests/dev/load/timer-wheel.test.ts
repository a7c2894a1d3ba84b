import { Timer, TimerWheel } from '../../../src/dev/load/timer-wheel.js';
import { seededRandom } from '../../../src/dev/simulation/random.js';

function recordingTimers(count: number): { timers: Timer[]; fired: { timer: number; dueMs: number }[] } {
  const fired: { timer: number; dueMs: number }[] = [];
  const timers = Array.from(
    { length: count },
    (_, timer) =>
      new Timer((dueMs) => {
        fired.push({ timer, dueMs });
      }),
  );
  return { timers, fired };
}

const at = (timers: Timer[], index: number): Timer => {
  const timer = timers[index];
  if (timer === undefined) throw new Error('no such timer');
  return timer;
};

test('timers fire when they are due, in the order of their times, and once', () => {
  const wheel = new TimerWheel(1_000);
  const { timers, fired } = recordingTimers(1_000);
  const random = seededRandom(1);
  const due = timers.map(() => 1_000 + Math.floor(random() * 100_000));
  timers.forEach((timer, index) => {
    wheel.schedule(timer, due[index] ?? 0);
  });
  for (let nowMs = 1_000; nowMs <= 102_000; nowMs += 7) wheel.turnTo(nowMs);
  expect(fired).toHaveLength(timers.length);
  expect(fired.map(({ dueMs }) => dueMs)).toEqual([...fired.map(({ dueMs }) => dueMs)].sort((a, b) => a - b));
  for (const { timer, dueMs } of fired) expect(dueMs).toBe(Math.max(1_001, due[timer] ?? 0));
});

test('a timer is told when it was due, also where the wheel was turned late', () => {
  const wheel = new TimerWheel(0);
  const { timers, fired } = recordingTimers(2);
  wheel.schedule(at(timers, 0), 10);
  wheel.schedule(at(timers, 1), 20);
  wheel.turnTo(500);
  expect(fired).toEqual([
    { timer: 0, dueMs: 10 },
    { timer: 1, dueMs: 20 },
  ]);
});

test('a timer that is scheduled again is moved, and one that is cancelled does not fire', () => {
  const wheel = new TimerWheel(0);
  const { timers, fired } = recordingTimers(3);
  timers.forEach((timer) => {
    wheel.schedule(timer, 10);
  });
  wheel.schedule(at(timers, 0), 30);
  wheel.cancel(at(timers, 1));
  wheel.cancel(at(timers, 1));
  wheel.turnTo(20);
  expect(fired).toEqual([{ timer: 2, dueMs: 10 }]);
  wheel.turnTo(30);
  expect(fired.at(-1)).toEqual({ timer: 0, dueMs: 30 });
});

test('what is due already fires at the next tick, never in the same one', () => {
  const wheel = new TimerWheel(100);
  const dueTimes: number[] = [];
  const again: Timer = new Timer((dueMs) => {
    dueTimes.push(dueMs);
    wheel.schedule(again, 5);
  });
  wheel.schedule(again, 5);
  wheel.turnTo(103);
  expect(dueTimes).toEqual([101, 102, 103]);
});

test('of two timers of one tick, the first may cancel the second', () => {
  const wheel = new TimerWheel(0);
  const { timers, fired } = recordingTimers(1);
  wheel.schedule(
    new Timer(() => {
      wheel.cancel(at(timers, 0));
    }),
    10,
  );
  wheel.schedule(at(timers, 0), 10);
  wheel.turnTo(20);
  expect(fired).toEqual([]);
});

test('times of several turns of the wheel are kept apart', () => {
  const wheel = new TimerWheel(0);
  const { timers, fired } = recordingTimers(3);
  const turnMs = 2 ** 14;
  timers.forEach((timer, turns) => {
    wheel.schedule(timer, 40 + turns * turnMs);
  });
  wheel.turnTo(50);
  expect(fired.map(({ timer }) => timer)).toEqual([0]);
  wheel.turnTo(50 + turnMs);
  expect(fired.map(({ timer }) => timer)).toEqual([0, 1]);
  wheel.turnTo(50 + 2 * turnMs);
  expect(fired.map(({ timer }) => timer)).toEqual([0, 1, 2]);
});

test('running, it fires by itself until it is stopped', async () => {
  const wheel = new TimerWheel(performance.now());
  wheel.run();
  const dueMs = performance.now() + 20;
  const firedMs = await new Promise<number>((resolve) => {
    wheel.schedule(
      new Timer(() => {
        resolve(performance.now());
      }),
      dueMs,
    );
  });
  wheel.stop();
  expect(firedMs).toBeGreaterThanOrEqual(dueMs);
});
