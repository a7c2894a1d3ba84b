import type { RedisCommands } from '../store/connection.js';
import { DEAD_LETTERS_KEY, OUTBOX_KEY } from '../store/keys.js';

const GROUP = 'relay';
/** Entries that a process has held this long are a dead process'; above the relay's longest pause. */
const ABANDONED_AFTER_MS = 60_000;
/** A consumer that neither asks nor holds anything for this long belongs to a process that is gone. */
const CONSUMER_GONE_AFTER_MS = 3_600_000;
const DEAD_LETTERS_MAX_LENGTH = 10_000;

/** An event as the scripts recorded it. */
export interface OutboxEntry {
  id: string;
  /** Of the partition whose stream it is in. */
  tag: string;
  detailType: string;
  atMs: number;
  /** JSON */
  detail: string;
}

type StreamEntries = [id: string, fields: string[] | null][];

export interface EventStreamDependencies {
  redis: RedisCommands;
  /** Where entries are read: a connection of its own where reading waits. */
  reader: RedisCommands;
  consumer: string;
  tag: string;
}

/** One partition's events that are not published yet, read by all processes together through one consumer group. */
export class EventStream {
  readonly #redis: RedisCommands;
  readonly #reader: RedisCommands;
  readonly #consumer: string;
  readonly #tag: string;
  readonly #key: string;

  constructor({ redis, reader, consumer, tag }: EventStreamDependencies) {
    this.#redis = redis;
    this.#reader = reader;
    this.#consumer = consumer;
    this.#tag = tag;
    this.#key = tag + OUTBOX_KEY;
  }

  get tag(): string {
    return this.#tag;
  }

  /** Entries that nobody had before; waits up to blockMs for the first one. */
  async readNew(count: number, blockMs: number): Promise<OutboxEntry[]> {
    const [group, consumer] = [GROUP, this.#consumer];
    return this.#withGroup(async () => {
      const reply =
        blockMs > 0
          ? await this.#reader.xreadgroup(
              ...(['GROUP', group, consumer, 'COUNT', count, 'BLOCK', blockMs] as const),
              ...(['STREAMS', this.#key, '>'] as const),
            )
          : await this.#reader.xreadgroup(
              ...(['GROUP', group, consumer, 'COUNT', count, 'STREAMS', this.#key, '>'] as const),
            );
      return this.#entriesOf(reply);
    });
  }

  /** Entries that this process took and has not finished. */
  async readOwn(count: number): Promise<OutboxEntry[]> {
    const own = ['GROUP', GROUP, this.#consumer, 'COUNT', count, 'STREAMS', this.#key, '0'] as const;
    return this.#withGroup(async () => this.#entriesOf(await this.#reader.xreadgroup(...own)));
  }

  /** Takes over what a dead process left; it is read with readOwn afterwards. Returns how many. */
  async takeOverAbandoned(count: number): Promise<number> {
    return this.#withGroup(async () => {
      const reply = await this.#redis.xautoclaim(
        this.#key,
        GROUP,
        this.#consumer,
        ABANDONED_AFTER_MS,
        '0',
        'COUNT',
        count,
        'JUSTID',
      );
      return (reply[1] as string[]).length;
    });
  }

  /** Published or given up: out of the stream, and out of this process' hands. */
  async finish(entries: OutboxEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const ids = entries.map(({ id }) => id);
    // Acknowledged and deleted together, so that the stream's length is what still waits.
    await this.#redis
      .multi()
      .xack(this.#key, GROUP, ...ids)
      .xdel(this.#key, ...ids)
      .exec();
  }

  /** Keeps what the bus refused for good, with the reason; bounded, the oldest go first. */
  async keepDeadLetter(entry: OutboxEntry, reason: string): Promise<void> {
    await this.#redis.xadd(
      this.#tag + DEAD_LETTERS_KEY,
      'MAXLEN',
      '~',
      DEAD_LETTERS_MAX_LENGTH,
      '*',
      'type',
      entry.detailType,
      'at',
      entry.atMs,
      'detail',
      entry.detail,
      'reason',
      reason,
    );
  }

  /** Consumers of processes that are gone; never one that still holds an entry, which would be lost with it. */
  async forgetGoneConsumers(): Promise<void> {
    await this.#withGroup(async () => {
      const consumers = (await this.#redis.xinfo('CONSUMERS', this.#key, GROUP)) as (string | number)[][];
      for (const consumer of consumers) {
        const of = (field: string) => consumer[consumer.indexOf(field) + 1];
        if (Number(of('pending')) === 0 && Number(of('idle')) > CONSUMER_GONE_AFTER_MS) {
          await this.#redis.xgroup('DELCONSUMER', this.#key, GROUP, String(of('name')));
        }
      }
    });
  }

  /** From the beginning of the stream: entries may be older than the group, which is made when it is first missed. */
  async #withGroup<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOGROUP')) throw error;
      await this.#redis.xgroup('CREATE', this.#key, GROUP, '0', 'MKSTREAM').catch((failure: unknown) => {
        if (!(failure instanceof Error) || !failure.message.startsWith('BUSYGROUP')) throw failure;
      });
      return await work();
    }
  }

  #entriesOf(reply: unknown): OutboxEntry[] {
    const streams = reply as [name: string, entries: StreamEntries][] | null;
    return (streams?.[0]?.[1] ?? []).map(([id, fields]) => entryOf(id, this.#tag, fields ?? []));
  }
}

/** An entry that was trimmed away while it was held has no fields; it is finished like one that was refused. */
function entryOf(id: string, tag: string, fields: string[]): OutboxEntry {
  const value = (name: string) => {
    const index = fields.indexOf(name);
    return index < 0 ? '' : (fields[index + 1] ?? '');
  };
  return { id, tag, detailType: value('type'), atMs: Number(value('at')), detail: value('detail') };
}
