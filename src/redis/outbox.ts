import type { Redis } from 'ioredis';
import { DEAD_LETTERS_KEY, DEADLINES_KEY, OUTBOX_KEY } from './keys.js';

const GROUP = 'relay';
/** Entries that a process has held this long are a dead process'; above the relay's longest pause. */
const ABANDONED_AFTER_MS = 60_000;
/** A consumer that neither asks nor holds anything for this long belongs to a process that is gone. */
const CONSUMER_GONE_AFTER_MS = 3_600_000;
const DEAD_LETTERS_MAX_LENGTH = 10_000;

/** An event as the scripts recorded it. */
export interface OutboxEntry {
  id: string;
  detailType: string;
  atMs: number;
  /** JSON */
  detail: string;
}

type StreamEntries = [id: string, fields: string[] | null][];

/** The stream of events that are not published yet, read by all processes together through one consumer group. */
export class Outbox {
  /** A connection of its own: reading waits on it for new entries. */
  readonly #reader: Redis;
  readonly #redis: Redis;
  readonly #consumer: string;
  #readerId: number | undefined;

  constructor(dependencies: { reader: Redis; redis: Redis; consumer: string }) {
    this.#reader = dependencies.reader;
    this.#redis = dependencies.redis;
    this.#consumer = dependencies.consumer;
    // Each connection has another id.
    this.#reader.on('close', () => {
      this.#readerId = undefined;
    });
  }

  /** Entries that nobody had before; waits up to blockMs for the first one. */
  async readNew(count: number, blockMs: number): Promise<OutboxEntry[]> {
    return this.#withGroup(async () => {
      if (blockMs > 0) this.#readerId ??= await this.#reader.client('ID');
      const reply =
        blockMs > 0
          ? await this.#reader.xreadgroup(
              'GROUP',
              GROUP,
              this.#consumer,
              'COUNT',
              count,
              'BLOCK',
              blockMs,
              'STREAMS',
              OUTBOX_KEY,
              '>',
            )
          : await this.#reader.xreadgroup(
              'GROUP',
              GROUP,
              this.#consumer,
              'COUNT',
              count,
              'STREAMS',
              OUTBOX_KEY,
              '>',
            );
      return entriesOfReply(reply);
    });
  }

  /** Entries that this process took and has not finished. */
  async readOwn(count: number): Promise<OutboxEntry[]> {
    return this.#withGroup(async () =>
      entriesOfReply(
        await this.#reader.xreadgroup(
          'GROUP',
          GROUP,
          this.#consumer,
          'COUNT',
          count,
          'STREAMS',
          OUTBOX_KEY,
          '0',
        ),
      ),
    );
  }

  /** Takes over what a dead process left; it is read with readOwn afterwards. Returns how many. */
  async takeOverAbandoned(count: number): Promise<number> {
    return this.#withGroup(async () => {
      const reply = await this.#redis.xautoclaim(
        OUTBOX_KEY,
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
  async finish(ids: string[]): Promise<void> {
    if (ids.length === 0) return;
    // Acknowledged and deleted together, so that the stream's length is what still waits.
    await this.#redis
      .multi()
      .xack(OUTBOX_KEY, GROUP, ...ids)
      .xdel(OUTBOX_KEY, ...ids)
      .exec();
  }

  /** Keeps what the bus refused for good, with the reason; bounded, the oldest go first. */
  async keepDeadLetter(entry: OutboxEntry, reason: string): Promise<void> {
    await this.#redis.xadd(
      DEAD_LETTERS_KEY,
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
      const consumers = (await this.#redis.xinfo('CONSUMERS', OUTBOX_KEY, GROUP)) as (string | number)[][];
      for (const consumer of consumers) {
        const of = (field: string) => consumer[consumer.indexOf(field) + 1];
        if (Number(of('pending')) === 0 && Number(of('idle')) > CONSUMER_GONE_AFTER_MS) {
          await this.#redis.xgroup('DELCONSUMER', OUTBOX_KEY, GROUP, String(of('name')));
        }
      }
    });
  }

  /** Ends a wait for new entries: it returns with none. */
  async wake(): Promise<void> {
    if (this.#readerId !== undefined) await this.#redis.client('UNBLOCK', this.#readerId);
  }

  close(): void {
    this.#reader.disconnect();
  }

  /** From the beginning of the stream: entries may be older than the group, which is made when it is first missed. */
  async #withGroup<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOGROUP')) throw error;
      await this.#redis.xgroup('CREATE', OUTBOX_KEY, GROUP, '0', 'MKSTREAM').catch((failure: unknown) => {
        if (!(failure instanceof Error) || !failure.message.startsWith('BUSYGROUP')) throw failure;
      });
      return await work();
    }
  }
}

/** How much waits, and since when: for the metrics. */
export async function readBacklog(
  redis: Redis,
): Promise<{ activeJourneys: number; outboxDepth: number; outboxAgeSeconds: number }> {
  const [activeJourneys, outboxDepth, oldest, time] = await Promise.all([
    redis.zcard(DEADLINES_KEY),
    redis.xlen(OUTBOX_KEY),
    redis.xrange(OUTBOX_KEY, '-', '+', 'COUNT', 1),
    redis.time(),
  ]);
  const oldestMs = oldest[0] === undefined ? null : Number(oldest[0][0].split('-')[0]);
  const nowMs = Number(time[0]) * 1000 + Number(time[1]) / 1000;
  return {
    activeJourneys,
    outboxDepth,
    outboxAgeSeconds: oldestMs === null ? 0 : Math.max(0, nowMs - oldestMs) / 1000,
  };
}

function entriesOfReply(reply: unknown): OutboxEntry[] {
  const streams = reply as [name: string, entries: StreamEntries][] | null;
  return (streams?.[0]?.[1] ?? []).map(([id, fields]) => entryOf(id, fields ?? []));
}

/** An entry that was trimmed away while it was held has no fields; it is finished like one that was refused. */
function entryOf(id: string, fields: string[]): OutboxEntry {
  const value = (name: string) => {
    const index = fields.indexOf(name);
    return index < 0 ? '' : (fields[index + 1] ?? '');
  };
  return { id, detailType: value('type'), atMs: Number(value('at')), detail: value('detail') };
}
