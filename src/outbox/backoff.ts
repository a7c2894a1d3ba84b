const MIN_MS = 100;
const BASE_MS = 200;
const MAX_MS = 30_000;

/**
 * Milliseconds to wait after so many consecutive failures, at least 1. Full jitter: M. Brooker, "Exponential Backoff And
 * Jitter", AWS Architecture Blog, 2015.
 * @param random 0 to 1
 */
export function backoffMs(failures: number, random: () => number = Math.random): number {
  const ceiling = Math.min(MAX_MS, BASE_MS * 2 ** failures);
  return Math.max(MIN_MS, random() * ceiling);
}
