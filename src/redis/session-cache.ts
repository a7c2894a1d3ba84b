import type { Redis } from 'ioredis';
import { within } from '../journey/failures.js';
import type { Session } from '../journey/journey.js';
import type { SessionCache } from '../journey/ports.js';
import { metaKey, missingKey } from './keys.js';
import { formatMeta } from './stored-values.js';

const SESSION_TTL_SECONDS = 60;
const MISSING_TTL_SECONDS = 30;

/** What Postgres said of sessions without a journey; read by scripts/read_live.lua. */
export class RedisSessionCache implements SessionCache {
  readonly #redis: Redis;
  readonly #commandTimeoutMs: number;

  constructor(dependencies: { redis: Redis; commandTimeoutMs: number }) {
    this.#redis = dependencies.redis;
    this.#commandTimeoutMs = dependencies.commandTimeoutMs;
  }

  /** Silent where Redis is away: the next poll asks Postgres again. */
  async remember(sessionId: string, session: Session | null): Promise<void> {
    // NX: a journey that started meanwhile has written its own, which lives longer.
    const write =
      session === null
        ? this.#redis.set(missingKey(sessionId), '1', 'EX', MISSING_TTL_SECONDS)
        : this.#redis.set(metaKey(sessionId), formatMeta(session), 'EX', SESSION_TTL_SECONDS, 'NX');
    await within(this.#commandTimeoutMs, 'redis', write).catch(() => undefined);
  }
}
