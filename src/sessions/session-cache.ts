import { withTimeout } from '../journeys/errors.js';
import type { Session } from '../journeys/journey.js';
import type { SessionCache } from '../journeys/ports.js';
import type { RedisCommands } from '../store/connection.js';
import type { Partitions } from '../store/partitions.js';
import { formatMeta } from '../store/stored-values.js';

const SESSION_TTL_SECONDS = 60;
const MISSING_TTL_SECONDS = 30;

/** What Postgres said of sessions without a journey; read by scripts/read_live.lua. */
export class RedisSessionCache implements SessionCache {
  readonly #redis: RedisCommands;
  readonly #partitions: Partitions;
  readonly #commandTimeoutMs: number;

  constructor(dependencies: { redis: RedisCommands; partitions: Partitions; commandTimeoutMs: number }) {
    this.#redis = dependencies.redis;
    this.#partitions = dependencies.partitions;
    this.#commandTimeoutMs = dependencies.commandTimeoutMs;
  }

  /** Silent where Redis is away: the next poll asks Postgres again. */
  async remember(sessionId: string, session: Session | null): Promise<void> {
    const keys = this.#partitions.keysOf(sessionId);
    // NX: a journey that started meanwhile has written its own, which lives longer.
    const write =
      session === null
        ? this.#redis.set(keys.missing(sessionId), '1', 'EX', MISSING_TTL_SECONDS)
        : this.#redis.set(keys.meta(sessionId), formatMeta(session), 'EX', SESSION_TTL_SECONDS, 'NX');
    await withTimeout(this.#commandTimeoutMs, 'redis', write).catch(() => undefined);
  }
}
