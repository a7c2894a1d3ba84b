import { planDrive, type Drive, type Tunnel } from '../../../src/dev/simulation/drive.js';
import { longMeters, planJourney, shortMeters } from '../../../src/dev/simulation/journey-plan.js';
import { seededRandom } from '../../../src/dev/simulation/random.js';
import { planRoute } from '../../../src/dev/simulation/route.js';
import { distanceMeters } from '../../../src/journeys/distance.js';

const home = { latitude: 12.9719, longitude: 77.6412 };
const drives = Array.from(
  { length: 200 },
  (_, n) => planJourney(home, 20, longMeters, seededRandom(7, n)).drive,
);

interface Second {
  second: number;
  metersFromLast: number;
  speed: number;
}

/** The drive second by second, under the open sky. */
function secondsOf(drive: Drive): Second[] {
  const fixes = Array.from({ length: Math.floor(drive.durationMs / 1000) }, (_, second) =>
    drive.fixAt(second * 1000),
  );
  return fixes.map((fix, second) => ({
    second,
    metersFromLast: distanceMeters(fixes[Math.max(0, second - 1)] ?? fix, fix),
    speed: fix.speed,
  }));
}

/** For how many seconds the car stands in one go, at the longest. */
function longestStand(drive: Drive): number {
  let [longest, now] = [0, 0];
  for (const { speed } of secondsOf(drive)) {
    now = speed < 0.5 ? now + 1 : 0;
    longest = Math.max(longest, now);
  }
  return longest;
}

function withTunnel(phone: Tunnel['phone']): { drive: Drive; tunnel: Tunnel } {
  const drive = drives.find(({ tunnel }) => tunnel?.phone === phone);
  if (drive?.tunnel === undefined) throw new Error('no such drive');
  return { drive, tunnel: drive.tunnel };
}

test('a drive ends at the home, within what the receiver errs', () => {
  for (const drive of drives) expect(distanceMeters(drive.fixAt(drive.durationMs), home)).toBeLessThan(15);
});

test('after its end the car stays where it is', () => {
  for (const drive of drives.slice(0, 20)) {
    const apart = distanceMeters(drive.fixAt(drive.durationMs), drive.fixAt(drive.durationMs + 60_000));
    expect(apart).toBeLessThan(25);
    expect(drive.fixAt(drive.durationMs + 60_000).speed).toBeLessThan(0.5);
  }
});

test('nothing jumps: from second to second the fix moves by the speed and a little error', () => {
  const seconds = drives.flatMap(secondsOf);
  const unexplained = Math.max(...seconds.map(({ metersFromLast, speed }) => metersFromLast - speed));
  expect(unexplained).toBeLessThan(5);
  expect(Math.max(...seconds.map(({ speed }) => speed)) * 3.6).toBeLessThan(47);
});

test('no two fixes are so far apart that the service could find them implausible', () => {
  const fastest = drives.map((drive) => {
    const beats = Array.from({ length: Math.floor(drive.durationMs / 5_000) }, (_, beat) => beat * 5_000);
    return Math.max(
      ...beats.map((ms) => distanceMeters(drive.fixAt(ms), drive.fixAt(ms + 5_000)) * (3.6 / 5)),
    );
  });
  expect(Math.max(...fastest)).toBeLessThan(60);
});

test('on the whole a drive is as fast as a city lets it be', () => {
  for (const drive of drives) {
    const meters = secondsOf(drive).reduce((sum, { speed }) => sum + speed, 0);
    const kmh = (meters / drive.durationMs) * 3_600;
    expect(kmh).toBeGreaterThan(6);
    expect(kmh).toBeLessThan(36);
  }
});

test('cars stand at red lights and while they are parked', () => {
  const stands = drives.map(longestStand);
  expect(Math.min(...stands)).toBeGreaterThanOrEqual(5);
  expect(stands.filter((seconds) => seconds > 20).length).toBeGreaterThan(drives.length / 2);
  expect(Math.max(...stands)).toBeLessThan(60);
});

test('some drives have a tunnel, most have none', () => {
  const share = drives.filter(({ tunnel }) => tunnel).length / drives.length;
  expect(share).toBeGreaterThan(0.15);
  expect(share).toBeLessThan(0.45);
});

test.each(['silent', 'repeating'] as const)(
  'in a tunnel a %s phone has the fix from before it, older and older',
  (phone) => {
    const { drive, tunnel } = withTunnel(phone);
    const before = drive.fixAt(tunnel.fromMs);
    expect(drive.latestFixAt(tunnel.fromMs)).toEqual({ fix: before, ageMs: 0 });
    expect(drive.latestFixAt(tunnel.fromMs + 5_000)).toEqual({ fix: before, ageMs: 5_000 });
    expect(drive.latestFixAt(tunnel.fromMs + 15_000)).toEqual({ fix: before, ageMs: 15_000 });
    expect(drive.latestFixAt(tunnel.toMs)).toEqual({ fix: drive.fixAt(tunnel.toMs), ageMs: 0 });
    expect(tunnel.toMs).toBeLessThan(drive.durationMs);
  },
);

test('the same seed is the same drive, and another one is not', () => {
  const fixOf = (seed: number) => planJourney(home, 20, longMeters, seededRandom(seed)).drive.fixAt(60_000);
  expect(fixOf(3)).toEqual(fixOf(3));
  expect(fixOf(3)).not.toEqual(fixOf(4));
});

test('a short drive takes about two minutes at the most', () => {
  const minutes = Array.from({ length: 200 }, (_, n) => planJourney(home, 20, shortMeters, seededRandom(n)))
    .map(({ drive }) => drive.durationMs / 60_000)
    .sort((one, other) => one - other);
  expect(minutes[Math.floor(minutes.length * 0.9)]).toBeLessThan(2);
});

test('even a way of a few metres is a drive', () => {
  for (const meters of [0, 2, 30, 100]) {
    const drive = planDrive(planRoute(home, meters, 0, seededRandom(meters)), seededRandom(meters));
    for (let ms = 0; ms <= drive.durationMs + 1_000; ms += 500) {
      const { fix } = drive.latestFixAt(ms);
      expect(distanceMeters(fix, home)).toBeLessThan(meters + 15);
      expect(fix).toEqual({
        latitude: expect.any(Number) as number,
        longitude: expect.any(Number) as number,
        accuracy: expect.any(Number) as number,
        speed: expect.any(Number) as number,
        heading: expect.any(Number) as number,
      });
    }
  }
});

test('what a phone sends is what the contract takes', () => {
  for (const fix of drives.slice(0, 20).flatMap((drive) => [drive.fixAt(0), drive.fixAt(70_000)])) {
    expect(fix.accuracy).toBeGreaterThan(0);
    expect(fix.accuracy).toBeLessThan(100);
    expect(fix.heading).toBeGreaterThanOrEqual(0);
    expect(fix.heading).toBeLessThanOrEqual(360);
    expect(fix.speed).toBeGreaterThanOrEqual(0);
  }
});
