import type { Session } from './journey.js';
import type { SessionCache, SessionRepository } from './ports.js';

/** The platform's sessions for polls: a hundred simultaneous questions about one session make one query. */
export class SessionDirectory {
  readonly #repository: SessionRepository;
  readonly #cache: SessionCache;
  readonly #underWay = new Map<string, Promise<Session | null>>();

  constructor(dependencies: { repository: SessionRepository; cache: SessionCache }) {
    this.#repository = dependencies.repository;
    this.#cache = dependencies.cache;
  }

  /** For a session that the cache does not have: asks the platform, and has the answer remembered. */
  find(sessionId: string): Promise<Session | null> {
    const underWay = this.#underWay.get(sessionId);
    if (underWay !== undefined) return underWay;
    const query = this.#ask(sessionId).finally(() => this.#underWay.delete(sessionId));
    this.#underWay.set(sessionId, query);
    return query;
  }

  async #ask(sessionId: string): Promise<Session | null> {
    const session = await this.#repository.find(sessionId);
    await this.#cache.remember(sessionId, session);
    return session;
  }
}
