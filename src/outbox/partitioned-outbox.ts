import { setTimeout as pause } from 'node:timers/promises';
import type { RedisCommands } from '../store/connection.js';
import type { Partitions } from '../store/partitions.js';
import type { JourneyScripts } from '../store/scripts.js';
import { EventStream } from './event-stream.js';
import type { Outbox, OutboxEntry } from './outbox.js';

/** In a cluster no command can block on streams of several slots, so empty streams are polled. */
const POLL_INTERVAL_MS = 250;
const MIN_PENDING_PER_STREAM = 10;

/**
 * The outbox of a cluster: one stream per partition. Each read takes a few entries of every stream, so that several
 * processes share the work, and starts at a random stream.
 */
export class PartitionedOutbox implements Outbox {
  readonly #streams: EventStream[];
  readonly #onPartlyUnavailable: (error: unknown) => void;
  #waiting = new AbortController();

  constructor(dependencies: {
    redis: RedisCommands & JourneyScripts;
    partitions: Partitions;
    consumer: string;
    onPartlyUnavailable: (error: unknown) => void;
  }) {
    const { redis, partitions, consumer, onPartlyUnavailable } = dependencies;
    this.#streams = partitions.tags.map((tag) => new EventStream({ redis, reader: redis, consumer, tag }));
    this.#onPartlyUnavailable = onPartlyUnavailable;
  }

  async readNew(count: number, waitMs: number): Promise<OutboxEntry[]> {
    const perStream = Math.ceil(count / this.#streams.length);
    const entries = (await this.#onAll((stream) => stream.readNew(perStream, 0))).flat();
    if (entries.length === 0 && waitMs > 0) {
      const { signal } = this.#waiting;
      await pause(Math.min(waitMs, POLL_INTERVAL_MS), undefined, { signal }).catch(() => undefined);
    }
    return entries;
  }

  async readPending(count: number): Promise<OutboxEntry[]> {
    const perStream = Math.max(MIN_PENDING_PER_STREAM, Math.ceil(count / this.#streams.length));
    const entries = (await this.#onAll((stream) => stream.readPending(perStream))).flat();
    // The others stay pending.
    return entries.slice(0, count);
  }

  async heartbeat(mayClaim: boolean): Promise<number> {
    const claimed = await this.#onAll((stream) => stream.heartbeat(mayClaim));
    return claimed.includes(-1) ? -1 : claimed.reduce((sum, each) => sum + each, 0);
  }

  async ack(entries: OutboxEntry[]): Promise<void> {
    const acks = this.#streams.map((stream) => stream.ack(entries.filter(({ tag }) => tag === stream.tag)));
    const failed = (await Promise.allSettled(acks)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  async deadLetter(entry: OutboxEntry, reason: string): Promise<void> {
    await this.#streams.find(({ tag }) => tag === entry.tag)?.deadLetter(entry, reason);
  }

  wake(): Promise<void> {
    this.#waiting.abort();
    this.#waiting = new AbortController();
    return Promise.resolve();
  }

  close(): void {
    this.#waiting.abort();
  }

  /** Returns the results of the available partitions. @throws if none is available */
  async #onAll<T>(work: (stream: EventStream) => Promise<T>): Promise<T[]> {
    const start = Math.floor(Math.random() * this.#streams.length);
    const streams = [...this.#streams.slice(start), ...this.#streams.slice(0, start)];
    const results = await Promise.allSettled(streams.map(work));
    const failed = results.filter((result) => result.status === 'rejected');
    if (failed.length === results.length) throw failed[0]?.reason;
    if (failed[0] !== undefined) this.#onPartlyUnavailable(failed[0].reason);
    return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  }
}
