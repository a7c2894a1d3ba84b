import type { Drive } from '../../../src/dev/simulation/drive.js';
import { longMeters, planJourney, shortMeters } from '../../../src/dev/simulation/journey-plan.js';
import { seededRandom } from '../../../src/dev/simulation/random.js';
import { distanceMeters } from '../../../src/journeys/distance.js';

const home = { latitude: 12.9719, longitude: 77.6412 };
const drives = Array.from(
  { length: 100 },
  (_, n) => planJourney(home, 20, longMeters, seededRandom(7, n)).drive,
);

/** How far each fix is from the one before, and the speed that it says. */
function stepsOf(drive: Drive, everyMs: number): { meters: number; speed: number }[] {
  const fixes = Array.from({ length: Math.floor(drive.durationMs / everyMs) }, (_, step) =>
    drive.fixAt(step * everyMs),
  );
  return fixes.map((fix, step) => ({
    meters: distanceMeters(fixes[Math.max(0, step - 1)] ?? fix, fix),
    speed: fix.speed,
  }));
}

test("a drive ends at the home, within the receiver's error, and the car stays there", () => {
  for (const drive of drives) {
    const [end, later] = [drive.fixAt(drive.durationMs), drive.fixAt(drive.durationMs + 60_000)];
    expect(distanceMeters(end, home)).toBeLessThan(15);
    expect(distanceMeters(end, later)).toBeLessThan(25);
  }
});

test('from second to second a fix moves by its speed and a small error', () => {
  const steps = drives.flatMap((drive) => stepsOf(drive, 1_000));
  expect(Math.max(...steps.map(({ meters, speed }) => meters - speed))).toBeLessThan(5);
  expect(Math.max(...steps.map(({ speed }) => speed)) * 3.6).toBeLessThan(47);
});

test('in a tunnel the fix is that from before it, and it ages', () => {
  const inTunnel = drives.filter(({ tunnel }) => tunnel);
  expect(inTunnel.length).toBeGreaterThan(0.15 * drives.length);
  expect(inTunnel.length).toBeLessThan(0.45 * drives.length);
  for (const drive of inTunnel) {
    const { fromMs, toMs } = drive.tunnel ?? { fromMs: NaN, toMs: NaN };
    expect(drive.latestFixAt(fromMs + 5_000)).toEqual({ fix: drive.fixAt(fromMs), ageMs: 5_000 });
    expect(drive.latestFixAt(toMs)).toEqual({ fix: drive.fixAt(toMs), ageMs: 0 });
  }
});

test('the same seed gives the same drive, and another seed another one', () => {
  const fixOf = (seed: number) => planJourney(home, 20, longMeters, seededRandom(seed)).drive.fixAt(60_000);
  expect(fixOf(3)).toEqual(fixOf(3));
  expect(fixOf(3)).not.toEqual(fixOf(4));
});

test('a short drive takes at most about two minutes', () => {
  const minutes = Array.from({ length: 200 }, (_, n) => planJourney(home, 20, shortMeters, seededRandom(n)))
    .map(({ drive }) => drive.durationMs / 60_000)
    .sort((one, other) => one - other);
  expect(minutes[Math.floor(minutes.length * 0.9)]).toBeLessThan(2);
});
