import type { Redis } from 'ioredis';
import { EventStream, type OutboxEntry } from './event-stream.js';
import type { Outbox } from './outbox.js';

/** The outbox of a single Redis: one stream, on which a read waits for what comes. */
export class SingleOutbox extends EventStream implements Outbox {
  /** A connection of its own: reading waits on it for new entries. */
  readonly #reader: Redis;
  readonly #redis: Redis;
  #readerId: number | undefined;

  constructor({ redis, reader, consumer }: { redis: Redis; reader: Redis; consumer: string }) {
    super({ redis, reader, consumer, tag: '' });
    this.#reader = reader;
    this.#redis = redis;
    // Each connection has another id.
    this.#reader.on('close', () => {
      this.#readerId = undefined;
    });
  }

  override async readNew(count: number, waitMs: number): Promise<OutboxEntry[]> {
    if (waitMs > 0) this.#readerId ??= await this.#reader.client('ID');
    return super.readNew(count, waitMs);
  }

  async wake(): Promise<void> {
    if (this.#readerId !== undefined) await this.#redis.client('UNBLOCK', this.#readerId);
  }

  close(): void {
    this.#reader.disconnect();
  }
}
