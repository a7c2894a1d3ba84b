import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Recorded drives, which are not part of the project. */
const folder = join(import.meta.dirname, '../../../shared/traces');

export interface DriveFix {
  seconds: number;
  latitude: number;
  longitude: number;
}

/** Undefined where the recording is not on this machine. */
export function realDrive(name: string): DriveFix[] | undefined {
  const file = join(folder, `${name}.csv`);
  if (!existsSync(file)) return undefined;
  const [, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [seconds, latitude, longitude] = line.split(',').map(Number);
    return { seconds: seconds ?? NaN, latitude: latitude ?? NaN, longitude: longitude ?? NaN };
  });
}

/** The latest fix at each beat, with its age. */
export function everySeconds(fixes: DriveFix[], beat: number): (DriveFix & { ageMs: number })[] {
  const sent: (DriveFix & { ageMs: number })[] = [];
  const end = fixes.at(-1)?.seconds ?? 0;
  let next = 0;
  let latest = fixes[0];
  for (let second = 0; second <= end && latest !== undefined; second += beat) {
    for (let fix = fixes[next]; fix !== undefined && fix.seconds <= second; fix = fixes[++next]) latest = fix;
    sent.push({ ...latest, ageMs: Math.round((second - latest.seconds) * 1000) });
  }
  return sent;
}
