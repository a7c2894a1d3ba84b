import type { RateLimiter } from '../journeys/rate-limiter.js';
import type { Session } from '../journeys/journey.js';
import type { SessionCache, SessionLookup, SessionRepository } from '../journeys/ports.js';

/** The platform's sessions for polls: a hundred simultaneous questions about one session make one query. */
export class CachedSessionLookup implements SessionLookup {
  readonly #repository: SessionRepository;
  readonly #cache: SessionCache;
  readonly #guesses: RateLimiter;
  readonly #underWay = new Map<string, Promise<Session | null>>();

  constructor(dependencies: { repository: SessionRepository; cache: SessionCache; guesses: RateLimiter }) {
    this.#repository = dependencies.repository;
    this.#cache = dependencies.cache;
    this.#guesses = dependencies.guesses;
  }

  /**
   * For a session that the cache does not have: asks the platform, and has the answer remembered. Where there is no such
   * session, the caller whose question it was has guessed once.
   */
  find(sessionId: string, callerId: string): Promise<Session | null> {
    const underWay = this.#underWay.get(sessionId);
    if (underWay !== undefined) return underWay;
    const query = this.#ask(sessionId, callerId).finally(() => this.#underWay.delete(sessionId));
    this.#underWay.set(sessionId, query);
    return query;
  }

  async #ask(sessionId: string, callerId: string): Promise<Session | null> {
    const session = await this.#repository.find(sessionId);
    if (session === null) this.#guesses.consume(callerId);
    await this.#cache.remember(sessionId, session);
    return session;
  }
}
