import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { Uuid } from '../../contract/identifiers.js';
import { scramble } from '../simulation/random.js';
import { OptionError } from './options.js';
import type { LoadSession } from './sessions.js';

const Line = z.object({
  sessionId: Uuid,
  trainerToken: z.string().min(1),
  studentToken: z.string().min(1),
  home: z.object({ latitude: z.number().min(-90).max(90), longitude: z.number().min(-180).max(180) }),
});

/**
 * Sessions that somebody else has made, one in each line.
 * @throws OptionError that names the option and the line
 */
export function readSessionFile(path: string, journeys: number): LoadSession[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  const sessions = lines.flatMap((line, index) =>
    line.trim() === '' ? [] : [readLine(line, `--sessions ${path}, line ${index + 1}`)],
  );
  if (sessions.length < journeys) {
    throw new OptionError(
      `--sessions ${path} has ${sessions.length} sessions, too few for --journeys ${journeys}: add some, or lower --journeys.`,
    );
  }
  return sessions;
}

function readLine(line: string, where: string): LoadSession {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    throw new OptionError(`${where} is not JSON.`);
  }
  const checked = Line.safeParse(parsed);
  if (!checked.success) {
    const problems = checked.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new OptionError(`${where} is not a session: ${problems.join('; ')}.`);
  }
  const { home } = checked.data;
  // Any street will do, but the same one in each run.
  const streetAngle =
    Math.abs(scramble(Math.round(home.latitude * 1e5) ^ Math.round(home.longitude * 1e5))) % 90;
  return { ...checked.data, streetAngle, mayBeActive: true };
}
