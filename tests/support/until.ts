import { setTimeout as pause } from 'node:timers/promises';
import type { Answer } from './api.js';

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

/** The first answer that is not a 503. For set-up on a busy machine, where a dependency may miss its timeout. */
export function served(call: () => Promise<Answer>): Promise<Answer> {
  return until('it is served', async () => {
    const answer = await call();
    return answer.status !== 503 && answer;
  });
}
