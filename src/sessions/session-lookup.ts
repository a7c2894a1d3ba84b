import { withTimeout } from '../journeys/errors.js';
import type { Session } from '../journeys/journey.js';
import type { SessionLookup, SessionRepository } from '../journeys/ports.js';
import type { RateLimiter } from '../journeys/rate-limiter.js';
import type { RedisCommands } from '../store/connection.js';
import type { Partitions } from '../store/partitions.js';
import { formatMeta } from '../store/stored-values.js';

const SESSION_TTL_SECONDS = 60;
const MISSING_TTL_SECONDS = 30;

/** Looks up sessions in Postgres after a cache miss and caches the result, which scripts/read_live.lua reads. */
export class CachedSessionLookup implements SessionLookup {
  readonly #repository: SessionRepository;
  readonly #redis: RedisCommands;
  readonly #partitions: Partitions;
  readonly #commandTimeoutMs: number;
  readonly #guesses: RateLimiter;
  readonly #inFlight = new Map<string, Promise<Session | null>>();

  constructor(dependencies: {
    repository: SessionRepository;
    redis: RedisCommands;
    partitions: Partitions;
    commandTimeoutMs: number;
    guesses: RateLimiter;
  }) {
    this.#repository = dependencies.repository;
    this.#redis = dependencies.redis;
    this.#partitions = dependencies.partitions;
    this.#commandTimeoutMs = dependencies.commandTimeoutMs;
    this.#guesses = dependencies.guesses;
  }

  /**
   * Concurrent misses of one session share a lookup. If the session does not exist, it counts as a guess of the caller
   * that started the lookup.
   * @throws StateUnavailableError
   */
  find(sessionId: string, callerId: string): Promise<Session | null> {
    const inFlight = this.#inFlight.get(sessionId);
    if (inFlight !== undefined) return inFlight;
    const lookup = this.#load(sessionId, callerId).finally(() => {
      // In the next turn: cache misses may have arrived together with the reply to this lookup's write.
      setImmediate(() => this.#inFlight.delete(sessionId));
    });
    this.#inFlight.set(sessionId, lookup);
    return lookup;
  }

  async #load(sessionId: string, callerId: string): Promise<Session | null> {
    const session = await this.#repository.find(sessionId);
    if (session === null) this.#guesses.consume(callerId);
    // A failed write costs the next poll one more query.
    await withTimeout(this.#commandTimeoutMs, 'redis', this.#cache(sessionId, session)).catch(
      () => undefined,
    );
    return session;
  }

  #cache(sessionId: string, session: Session | null): Promise<unknown> {
    const keys = this.#partitions.keysOf(sessionId);
    if (session === null) {
      return this.#redis.set(keys.missing(sessionId), '1', 'EX', MISSING_TTL_SECONDS);
    }
    // NX: a journey that has started meanwhile has written its own metadata with a longer TTL.
    return this.#redis.set(keys.meta(sessionId), formatMeta(session), 'EX', SESSION_TTL_SECONDS, 'NX');
  }
}
