import { distanceMeters } from '../../src/journeys/distance.js';
import { aJourney } from '../support/a-journey.js';
import { data, refusal } from '../support/api.js';
import { MovableClock } from '../support/movable-clock.js';
import { everySeconds, realDrive, type DriveFix } from '../support/real-drives.js';
import { runService, type RunningService } from '../support/running-service.js';

const BEAT_SECONDS = 5;
const MAX_SPEED_KMH = 120;

interface Step {
  second: number;
  fix: DriveFix;
  outcome: string;
  /** When the next one was asked for, where this one was taken. */
  nextUpdateMs: number;
  /** What the student sees after it. */
  live: Record<string, unknown>;
}

/** Sends a drive as a phone would, every 5 s, and looks at it as the student would. */
async function replay(service: RunningService, clock: MovableClock, drive: DriveFix[]): Promise<Step[]> {
  const home = drive.at(-1);
  const { sessionId, trainerToken, studentToken } = await aJourney(service.api, { home });
  const steps: Step[] = [];
  for (const [sequence, { ageMs, ...fix }] of everySeconds(drive, BEAT_SECONDS).entries()) {
    if (sequence > 0) clock.advance(BEAT_SECONDS * 1000);
    const { latitude, longitude } = fix;
    const answer = await service.api.update(trainerToken, {
      sessionId,
      latitude,
      longitude,
      sequence,
      ageMs,
    });
    const isTaken = answer.status === 201;
    const outcome = isTaken ? 'taken' : refusal(answer).code;
    const nextUpdateMs = isTaken ? (data(answer)['nextUpdateMs'] as number) : NaN;
    const live = data(await service.api.live(sessionId, studentToken));
    steps.push({ second: sequence * BEAT_SECONDS, fix, outcome, nextUpdateMs, live });
  }
  return steps;
}

/** The steps that the rule refuses: over 120 km/h from the last one that it did not, and three in a row at most. */
function tooFast(steps: Step[]): number[] {
  let last: DriveFix | undefined;
  const refused: number[] = [];
  let row = 0;
  for (const { second, fix } of steps) {
    const isTooFast =
      last && row < 3 && distanceMeters(last, fix) * 3.6 > MAX_SPEED_KMH * (fix.seconds - last.seconds);
    row = isTooFast === true ? row + 1 : 0;
    if (isTooFast === true) refused.push(second);
    else last = fix;
  }
  return refused;
}

/** The steps over 120 km/h from the one before them, whatever became of that. */
function jumps(steps: Step[]): number[] {
  return steps.flatMap(({ second, fix }, n) => {
    const before = steps[n - 1]?.fix;
    const isJump =
      before && distanceMeters(before, fix) * 3.6 > MAX_SPEED_KMH * (fix.seconds - before.seconds);
    return isJump === true ? [second] : [];
  });
}

const drives = [
  { name: 'munich-drive-1hz', beats: 240, jumpCount: 1 },
  { name: 'city-drive-2s', beats: 160, jumpCount: 0 },
].map((each) => ({ ...each, drive: realDrive(each.name) }));

for (const { name, beats, jumpCount, drive } of drives) {
  const describeWhereRecorded = drive === undefined ? describe.skip : describe;
  const where = drive === undefined ? ' (skipped: the recording is not on this machine)' : '';

  describeWhereRecorded(`the real drive ${name}, sent every 5 s${where}`, () => {
    const clock = new MovableClock();
    let steps: Step[];
    beforeAll(async () => {
      const service = await runService({ clock: clock.now });
      steps = await replay(service, clock, drive ?? []);
      await service.stop();
    });

    test(`has ${beats} beats and ${jumpCount} jumps over 120 km/h`, () => {
      expect([steps.length, jumps(steps).length]).toEqual([beats, jumpCount]);
    });

    test('is refused where it jumps, and nowhere else', () => {
      const refused = steps.filter(({ outcome }) => outcome !== 'taken');
      expect(refused.map(({ second }) => second)).toEqual(tooFast(steps));
      expect(new Set(refused.map(({ outcome }) => outcome))).toEqual(
        new Set(jumpCount > 0 ? ['LOCATION_IMPLAUSIBLE'] : []),
      );
    });

    test('is never stuck after a jump: within 20 s it is taken again', () => {
      for (const jump of jumps(steps)) {
        const next = steps.find(({ second, outcome }) => second > jump && outcome === 'taken');
        expect(next?.second).toBeLessThanOrEqual(jump + 20);
      }
    });

    test('is shown as the last position that was taken, and as live unless it is old', () => {
      let last: Step | undefined;
      for (const step of steps) {
        if (step.outcome === 'taken') last = step;
        const { latitude, longitude } = last?.fix ?? NaN_FIX;
        const ageMs = (step.second - (last?.fix.seconds ?? NaN)) * 1000;
        expect(step.live).toMatchObject({ isActive: true, location: { latitude, longitude }, ageMs });
        const liveUpToMs = 15_000 + (last?.nextUpdateMs ?? NaN) - BEAT_SECONDS * 1000;
        expect(step.live['freshness']).toBe(ageMs <= liveUpToMs ? 'live' : 'delayed');
      }
    });

    test('comes nearer to where it ends, and gets there', () => {
      const distances = steps.map(({ live }) => live['distanceMeters'] as number);
      expect(distances.at(-1)).toBeLessThan(100);
      expect(Math.max(...distances)).toBeGreaterThan(500);
    });
  });
}

const NaN_FIX = { latitude: NaN, longitude: NaN };
