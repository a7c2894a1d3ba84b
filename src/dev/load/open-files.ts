import { execFileSync } from 'node:child_process';
import type { LoadOptions } from './command-line.js';

/** What the process has open besides connections to the service. */
const reserved = 100;
/** For everything but waiting students: each is in use only for as long as an answer takes. */
const mostForAnswers = 1_000;
/** With fewer than this, calls would wait for one another. */
const fewestForAnswers = 200;

/** How many files and sockets this process may have open; Infinity where the system does not say. */
export function openFilesLimit(): number {
  try {
    // Node has raised its own limit as far as the system lets it; what it starts inherits that.
    const answer = execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim();
    return answer === 'unlimited' ? Infinity : Number(answer);
  } catch {
    return Infinity;
  }
}

/**
 * How many connections there may be: one for each student who waits for news, and for everything else as many as are
 * in use at once.
 * @throws Error that names the fix where the system allows too few
 */
export function connectionsLimit(
  { journeys, watch, watchShare }: Pick<LoadOptions, 'journeys' | 'watch' | 'watchShare'>,
  limit = openFilesLimit(),
): number {
  const waiting = watch === 'wait' ? Math.ceil(journeys * watchShare) : 0;
  const most = limit - reserved;
  const needed = waiting + fewestForAnswers;
  if (most >= needed) return Math.min(waiting + mostForAnswers, most);
  const wanted = needed + reserved;
  throw new Error(
    `This shell allows ${limit} open files, but ${wanted} are needed (--watch wait holds a connection for each ` +
      `student). Run "ulimit -n ${wanted}" before; where that is refused, root has to raise the hard limit first. ` +
      `Or lower --journeys or --watch-share.`,
  );
}
