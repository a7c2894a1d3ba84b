import type { Redis } from 'ioredis';
import type { JourneyScripts } from '../store/scripts.js';
import { EventStream } from './event-stream.js';
import type { Outbox, OutboxEntry } from './outbox.js';

/** The outbox of a single Redis: one stream, on which reads block. */
export class SingleOutbox extends EventStream implements Outbox {
  readonly #redis: Redis;
  readonly #reader: Redis;
  #readerId: number | undefined;

  /** reader: a separate connection, because reads block. */
  constructor({
    redis,
    reader,
    consumer,
  }: {
    redis: Redis & JourneyScripts;
    reader: Redis;
    consumer: string;
  }) {
    super({ redis, reader, consumer, tag: '' });
    this.#redis = redis;
    this.#reader = reader;
    // The next connection has another id.
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
