import { within } from '../journey/failures.js';
import type { Session } from '../journey/journey.js';
import type { SessionCache } from '../journey/ports.js';
import { metaKey, missingKey } from './keys.js';
import type { RedisCommands } from './connection.js';
import type { Partitions } from './partitions.js';
import { formatMeta } from './stored-values.js';

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
    const tag = this.#partitions.tagOf(sessionId);
    // NX: a journey that started meanwhile has written its own, which lives longer.
    const write =
      session === null
        ? this.#redis.set(missingKey(sessionId, tag), '1', 'EX', MISSING_TTL_SECONDS)
        : this.#redis.set(metaKey(sessionId, tag), formatMeta(session), 'EX', SESSION_TTL_SECONDS, 'NX');
    await within(this.#commandTimeoutMs, 'redis', write).catch(() => undefined);
  }
}
