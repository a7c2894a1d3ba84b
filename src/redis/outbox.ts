import type { Redis } from 'ioredis';
import { EventStream, type OutboxEntry } from './event-stream.js';

/** All events that are not published yet; every process has one, and an entry is read by one of them. */
export interface Outbox {
  /** Entries that nobody had before; waits up to waitMs for the first one. */
  readNew(count: number, waitMs: number): Promise<OutboxEntry[]>;
  /** Entries that this process took and has not finished. */
  readOwn(count: number): Promise<OutboxEntry[]>;
  /** Takes over what a dead process left; it is read with readOwn afterwards. Returns how many. */
  takeOverAbandoned(count: number): Promise<number>;
  /** Published or given up. */
  finish(entries: OutboxEntry[]): Promise<void>;
  /** Keeps what the bus refused for good, with the reason. */
  keepDeadLetter(entry: OutboxEntry, reason: string): Promise<void>;
  /** Forgets the names of processes that are gone. */
  forgetGoneConsumers(): Promise<void>;
  /** Ends a wait for new entries: it returns with none. */
  wake(): Promise<void>;
  close(): void;
}

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
