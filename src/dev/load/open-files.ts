import { execFileSync } from 'node:child_process';
import type { LoadOptions } from './options.js';

/** What the process has open besides connections to the service. */
const reserved = 100;
/** Shared by all calls but those of waiting students. */
const largestPool = 1_000;
/** With fewer, calls would wait for one another. */
const smallestPool = 200;

/** How many files and sockets this process may have open; Infinity where the system does not say. */
export function openFilesLimit(): number {
  try {
    // Node.js has raised its own limit as far as the system allows, and child processes inherit it.
    const answer = execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim();
    return answer === 'unlimited' ? Infinity : Number(answer);
  } catch {
    return Infinity;
  }
}

/**
 * How many connections the calls can share besides one for each student who waits.
 * @throws Error that names the remedy where the system allows too few
 */
export function poolSizeFor(
  { journeys, watch, watchShare }: Pick<LoadOptions, 'journeys' | 'watch' | 'watchShare'>,
  limit = openFilesLimit(),
): number {
  const waiting = watch === 'wait' ? Math.ceil(journeys * watchShare) : 0;
  const available = limit - reserved - waiting;
  if (available >= smallestPool) return Math.min(largestPool, available);
  const wanted = waiting + smallestPool + reserved;
  throw new Error(
    `This shell allows ${limit} open files, but ${wanted} are needed: --watch wait uses a connection per student. ` +
      `Run "ulimit -n ${wanted}" first (root may have to raise the hard limit), or lower --journeys or --watch-share.`,
  );
}
