import type { Redis } from 'ioredis';
import { StateUnavailableError } from '../journeys/errors.js';
import type { ChangeListener, JourneyChange, JourneyChanges } from '../journeys/ports.js';
import { CHANGES_PREFIX, changesChannel } from './keys.js';
import { parseLocation } from './stored-values.js';

const HEARTBEAT_EVERY_MS = 1_000;

/**
 * What the scripts tell of sessions' journeys, on one connection for all that this process follows. While the
 * connection is away nothing can be followed, and who did is told that it broke: something may have been missed.
 */
export class ChangeFeed implements JourneyChanges {
  readonly #redis: Redis;
  readonly #listeners = new Map<string, ChangeListener>();
  #heartbeat: NodeJS.Timeout | undefined;

  /** redis: a connection of its own that does not subscribe again by itself. */
  constructor(redis: Redis) {
    this.#redis = redis;
    redis.on('message', (channel: string, message: string) => {
      const sessionId = channel.slice(CHANGES_PREFIX.length);
      this.#listeners.get(sessionId)?.changed(changeOf(channel, message));
    });
    redis.on('close', () => {
      this.#breakAll();
    });
  }

  async start(): Promise<void> {
    this.#heartbeat = setInterval(() => {
      // A connection that died silently shows only when it should answer; its socket's time limit ends it.
      if (this.isUp) this.#redis.ping().catch(() => undefined);
    }, HEARTBEAT_EVERY_MS);
    await this.#redis.connect();
  }

  stop(): void {
    clearInterval(this.#heartbeat);
    this.#redis.disconnect();
  }

  get isUp(): boolean {
    return this.#redis.status === 'ready';
  }

  async follow(sessionId: string, listener: ChangeListener): Promise<void> {
    this.#listeners.set(sessionId, listener);
    try {
      await this.#redis.subscribe(changesChannel(sessionId));
    } catch (error) {
      if (this.#listeners.get(sessionId) === listener) this.#listeners.delete(sessionId);
      throw new StateUnavailableError('redis', error);
    }
  }

  unfollow(sessionIds: string[]): void {
    for (const sessionId of sessionIds) this.#listeners.delete(sessionId);
    // A connection that is lost has unsubscribed from all.
    this.#redis.unsubscribe(...sessionIds.map(changesChannel)).catch(() => undefined);
  }

  #breakAll(): void {
    const listeners = [...this.#listeners.values()];
    this.#listeners.clear();
    for (const listener of listeners) listener.changed({ kind: 'broken' });
  }
}

/** A position that cannot be read is a change all the same: who is told looks at the state. */
function changeOf(channel: string, message: string): JourneyChange {
  if (!message.startsWith('{')) return { kind: 'lifecycle' };
  try {
    return { kind: 'position', location: parseLocation(channel, message) };
  } catch {
    return { kind: 'lifecycle' };
  }
}
