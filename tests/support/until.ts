import { setTimeout as pause } from 'node:timers/promises';

/**
 * The value of the condition as soon as it is neither undefined nor false; fails, naming what was awaited, after
 * withinMs. Errors of the condition count as not yet.
 */
export async function until<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = 10_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  let lastError: unknown;
  do {
    try {
      const value = await condition();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      lastError = error;
    }
    await pause(20);
  } while (performance.now() < deadline);
  throw new Error(`not within ${withinMs} ms: ${what}`, { cause: lastError });
}
