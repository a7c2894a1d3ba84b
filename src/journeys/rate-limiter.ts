import { LRUCache } from 'lru-cache';

/** Bounds the memory: beyond it the caller that was idle longest starts afresh. */
const MAX_CALLERS = 50_000;

/**
 * Limits each caller to `burst` calls at once and one per intervalMs in the long run (GCRA, ITU-T I.371). Per process: it
 * stops abuse, which must not cost round trips to Redis.
 */
export class RateLimiter {
  readonly #burst: number;
  readonly #intervalMs: number;
  /** By user id: when the whole burst is available again, by performance.now(). */
  readonly #recoveredAtMs = new LRUCache<string, number>({ max: MAX_CALLERS });

  constructor({ burst, intervalMs }: { burst: number; intervalMs: number }) {
    this.#burst = burst;
    this.#intervalMs = intervalMs;
  }

  /** Milliseconds until the caller's next call is allowed; 0 if it is now. */
  retryAfterMs(userId: string): number {
    const recoveredAtMs = this.#recoveredAtMs.peek(userId);
    if (recoveredAtMs === undefined) return 0;
    return Math.max(0, Math.ceil(recoveredAtMs - performance.now() - (this.#burst - 1) * this.#intervalMs));
  }

  /** Concurrent calls may overdraw the limit; that costs one interval at most. */
  consume(userId: string): void {
    const nowMs = performance.now();
    const recoveredAtMs = Math.max(nowMs, this.#recoveredAtMs.get(userId) ?? nowMs) + this.#intervalMs;
    this.#recoveredAtMs.set(userId, Math.min(recoveredAtMs, nowMs + this.#burst * this.#intervalMs));
  }
}

/** The limits of all callers of this process. */
export function rateLimiters(): { starts: RateLimiter; guesses: RateLimiter } {
  return {
    // Each start leaves an idempotency record and publishes an event.
    starts: new RateLimiter({ burst: 200, intervalMs: 30_000 }),
    // Each session that does not exist costs a query; a working app asks for none.
    guesses: new RateLimiter({ burst: 30, intervalMs: 1_000 }),
  };
}
