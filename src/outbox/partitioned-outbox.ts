import { setTimeout as pause } from 'node:timers/promises';
import type { RedisCommands } from '../store/connection.js';
import { EventStream, type OutboxEntry } from './event-stream.js';
import type { Outbox } from './outbox.js';
import type { Partitions } from '../store/partitions.js';

/** A cluster has no command that waits on streams of several slots, so where all are empty one looks again after this. */
const LOOK_AGAIN_AFTER_MS = 250;
const FEWEST_OWN = 10;

export interface PartitionedOutboxDependencies {
  redis: RedisCommands;
  partitions: Partitions;
  consumer: string;
  /** Some partitions could not be read; the others were. */
  onPartlyAway: (error: unknown) => void;
}

/**
 * The outbox of a cluster: a stream a partition, all of them read in rounds. A process takes a few entries of each in a
 * round, so that several processes share what there is; each starts its round elsewhere.
 */
export class PartitionedOutbox implements Outbox {
  readonly #streams: EventStream[];
  readonly #byTag: Map<string, EventStream>;
  readonly #onPartlyAway: (error: unknown) => void;
  /** A read whose answer was lost may have given this process entries that it does not know of. */
  readonly #inDoubt = new Set<EventStream>();
  #waiting = new AbortController();

  constructor({ redis, partitions, consumer, onPartlyAway }: PartitionedOutboxDependencies) {
    this.#streams = partitions.tags.map((tag) => new EventStream({ redis, reader: redis, consumer, tag }));
    this.#byTag = new Map(this.#streams.map((stream) => [stream.tag, stream]));
    this.#onPartlyAway = onPartlyAway;
  }

  async readNew(count: number, waitMs: number): Promise<OutboxEntry[]> {
    const each = Math.ceil(count / this.#streams.length);
    const entries = await this.#read((stream) => this.#readNewOrDoubtful(stream, each));
    if (entries.length === 0 && waitMs > 0) {
      const { signal } = this.#waiting;
      await pause(Math.min(waitMs, LOOK_AGAIN_AFTER_MS), undefined, { signal }).catch(() => undefined);
    }
    return entries;
  }

  async readOwn(count: number): Promise<OutboxEntry[]> {
    const each = Math.max(FEWEST_OWN, Math.ceil(count / this.#streams.length));
    const entries = await this.#read(async (stream) => {
      const own = await stream.readOwn(each);
      this.#inDoubt.delete(stream);
      return own;
    });
    // What is not taken now is still this process' own.
    return entries.slice(0, count);
  }

  async takeOverAbandoned(count: number): Promise<number> {
    const taken = await this.#everywhere((stream) => stream.takeOverAbandoned(count));
    return taken.reduce((sum, each) => sum + each, 0);
  }

  async finish(entries: OutboxEntry[]): Promise<void> {
    const finishing = [...this.#byTag].map(([tag, stream]) =>
      stream.finish(entries.filter((entry) => entry.tag === tag)),
    );
    // Those of the others are finished also where one fails.
    const failed = (await Promise.allSettled(finishing)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  async keepDeadLetter(entry: OutboxEntry, reason: string): Promise<void> {
    await this.#byTag.get(entry.tag)?.keepDeadLetter(entry, reason);
  }

  async forgetGoneConsumers(): Promise<void> {
    await this.#everywhere((stream) => stream.forgetGoneConsumers());
  }

  wake(): Promise<void> {
    this.#waiting.abort();
    this.#waiting = new AbortController();
    return Promise.resolve();
  }

  /** The connections are the service's. */
  close(): void {
    this.#waiting.abort();
  }

  async #read(work: (stream: EventStream) => Promise<OutboxEntry[]>): Promise<OutboxEntry[]> {
    const read = await this.#everywhere((stream) =>
      work(stream).catch((error: unknown) => {
        this.#inDoubt.add(stream);
        throw error;
      }),
    );
    return read.flat();
  }

  async #readNewOrDoubtful(stream: EventStream, count: number): Promise<OutboxEntry[]> {
    if (!this.#inDoubt.has(stream)) return stream.readNew(count, 0);
    const own = await stream.readOwn(count);
    if (own.length < count) this.#inDoubt.delete(stream);
    return own;
  }

  /** What each partition answers that does; fails where none does. */
  async #everywhere<T>(work: (stream: EventStream) => Promise<T>): Promise<T[]> {
    const start = Math.floor(Math.random() * this.#streams.length);
    const inTurn = [...this.#streams.slice(start), ...this.#streams.slice(0, start)];
    const results = await Promise.allSettled(inTurn.map(work));
    const failed = results.filter((result) => result.status === 'rejected');
    if (failed.length === results.length) throw failed[0]?.reason;
    if (failed[0] !== undefined) this.#onPartlyAway(failed[0].reason);
    return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  }
}
