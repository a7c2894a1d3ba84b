/** Bounds the memory: of more callers than this the one who spent longest ago has a whole budget again. */
const MOST_CALLERS = 100_000;

/**
 * What a caller may do `burst` times at once and once in intervalMs in the long run (GCRA, ITU-T I.371). Kept by each
 * process for itself: it is for those who mean harm, and no trip to Redis should be theirs.
 */
export class RateLimiter {
  readonly #burst: number;
  readonly #intervalMs: number;
  /** By user, when the budget will be whole again, by performance.now(). */
  readonly #wholeAtMs = new Map<string, number>();

  constructor({ burst, intervalMs }: { burst: number; intervalMs: number }) {
    this.#burst = burst;
    this.#intervalMs = intervalMs;
  }

  /** Milliseconds until there is something to spend; 0 where there is now. */
  waitMs(userId: string): number {
    const wholeAtMs = this.#wholeAtMs.get(userId);
    if (wholeAtMs === undefined) return 0;
    return Math.max(0, Math.ceil(wholeAtMs - performance.now() - (this.#burst - 1) * this.#intervalMs));
  }

  /** What was under way at the same time may overdraw it, which costs one interval and no more. */
  spend(userId: string): void {
    const nowMs = performance.now();
    const wholeAtMs = Math.max(nowMs, this.#wholeAtMs.get(userId) ?? nowMs) + this.#intervalMs;
    this.#wholeAtMs.delete(userId);
    this.#wholeAtMs.set(userId, Math.min(wholeAtMs, nowMs + this.#burst * this.#intervalMs));
    if (this.#wholeAtMs.size <= MOST_CALLERS) return;
    const [longestAgo] = this.#wholeAtMs.keys();
    if (longestAgo !== undefined) this.#wholeAtMs.delete(longestAgo);
  }
}

/** The budgets of all callers of this process. */
export function rateLimiters(): { starts: RateLimiter; guesses: RateLimiter } {
  return {
    // With the records of their idempotency keys 150 KB in Redis at most, and no flood of events.
    starts: new RateLimiter({ burst: 200, intervalMs: 30_000 }),
    // Sessions that do not exist: each costs a query and a mark in Redis, and an app that works asks for none.
    guesses: new RateLimiter({ burst: 30, intervalMs: 1_000 }),
  };
}
