import type { Redis } from 'ioredis';
import { StateUnavailableError } from '../journeys/errors.js';
import type { ChangeListener, JourneyChange, JourneyChanges } from '../journeys/ports.js';
import { changesPrefix, databaseOf } from './keys.js';
import { parseLocation } from './stored-values.js';

const HEARTBEAT_EVERY_MS = 1_000;

/**
 * Subscribes to the changes of sessions' journeys on one connection. When that is lost, each listener gets `broken`,
 * because changes may be missing, and has to follow again.
 */
export class ChangeFeed implements JourneyChanges {
  readonly #redis: Redis;
  /** Of the channels. */
  readonly prefix: string;
  readonly #listeners = new Map<string, ChangeListener>();
  #heartbeat: NodeJS.Timeout | undefined;

  /** redis: a connection that does nothing else and does not resubscribe. */
  constructor(redis: Redis) {
    this.#redis = redis;
    this.prefix = changesPrefix(databaseOf(redis));
    redis.on('message', (channel: string, message: string) => {
      const sessionId = channel.slice(this.prefix.length);
      this.#listeners.get(sessionId)?.changed(changeOf(channel, message));
    });
    redis.on('close', () => {
      this.#breakAll();
    });
  }

  async start(): Promise<void> {
    this.#heartbeat = setInterval(() => {
      // Without traffic the socket's timeout would not notice a connection that died silently.
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
      await this.#redis.subscribe(this.prefix + sessionId);
    } catch (error) {
      if (this.#listeners.get(sessionId) === listener) this.#listeners.delete(sessionId);
      throw new StateUnavailableError('redis', error);
    }
  }

  /** @throws the error of Redis */
  async tryOut(channel: string): Promise<void> {
    await this.#redis.subscribe(channel);
    await this.#redis.unsubscribe(channel);
  }

  unfollow(sessionIds: string[]): void {
    for (const sessionId of sessionIds) this.#listeners.delete(sessionId);
    // A lost connection has no subscriptions.
    this.#redis.unsubscribe(...sessionIds.map((id) => this.prefix + id)).catch(() => undefined);
  }

  #breakAll(): void {
    const listeners = [...this.#listeners.values()];
    this.#listeners.clear();
    for (const listener of listeners) listener.changed({ kind: 'broken' });
  }
}

/** A position that cannot be parsed counts as a lifecycle change: the listener reads the state. */
function changeOf(channel: string, message: string): JourneyChange {
  if (!message.startsWith('{')) return { kind: 'lifecycle' };
  try {
    return { kind: 'position', location: parseLocation(channel, message).location };
  } catch {
    return { kind: 'lifecycle' };
  }
}
