import type { RedisCommands } from '../store/connection.js';
import { DEAD_LETTERS_KEY, OUTBOX_KEY } from '../store/keys.js';
import type { OutboxEntry } from './outbox.js';

const GROUP = 'relay';
/** Longer than the relay's longest back-off: a process that is alive keeps its entries. */
const CLAIM_AFTER_IDLE_MS = 60_000;
const DELETE_CONSUMER_AFTER_IDLE_MS = 3_600_000;
const DEAD_LETTERS_MAX_LENGTH = 10_000;

/** One partition's Redis stream of unpublished events, read through a consumer group. */
export class EventStream {
  readonly tag: string;
  readonly #redis: RedisCommands;
  readonly #reader: RedisCommands;
  readonly #consumer: string;
  readonly #key: string;

  /** reader: a separate connection if reads block. */
  constructor(dependencies: { redis: RedisCommands; reader: RedisCommands; consumer: string; tag: string }) {
    this.#redis = dependencies.redis;
    this.#reader = dependencies.reader;
    this.#consumer = dependencies.consumer;
    this.tag = dependencies.tag;
    this.#key = this.tag + OUTBOX_KEY;
  }

  async readNew(count: number, blockMs: number): Promise<OutboxEntry[]> {
    const read = ['GROUP', GROUP, this.#consumer, 'COUNT', count] as const;
    const streams = ['STREAMS', this.#key, '>'] as const;
    return this.#withGroup(async () =>
      this.#parse(
        await (blockMs > 0
          ? this.#reader.xreadgroup(...read, 'BLOCK', blockMs, ...streams)
          : this.#reader.xreadgroup(...read, ...streams)),
      ),
    );
  }

  async readPending(count: number): Promise<OutboxEntry[]> {
    const read = ['GROUP', GROUP, this.#consumer, 'COUNT', count, 'STREAMS', this.#key, '0'] as const;
    return this.#withGroup(async () => this.#parse(await this.#reader.xreadgroup(...read)));
  }

  async claimIdle(count: number): Promise<number> {
    const idle = [CLAIM_AFTER_IDLE_MS, '0', 'COUNT', count, 'JUSTID'] as const;
    return this.#withGroup(async () => {
      const [, ids] = await this.#redis.xautoclaim(this.#key, GROUP, this.#consumer, ...idle);
      return (ids as string[]).length;
    });
  }

  async ack(entries: OutboxEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const ids = entries.map(({ id }) => id);
    // In one transaction, so that the stream's length is the number of unpublished events.
    await this.#redis
      .multi()
      .xack(this.#key, GROUP, ...ids)
      .xdel(this.#key, ...ids)
      .exec();
  }

  async deadLetter({ detailType, atMs, detail }: OutboxEntry, reason: string): Promise<void> {
    const maxLength = ['MAXLEN', '~', DEAD_LETTERS_MAX_LENGTH] as const;
    const fields = ['type', detailType, 'at', atMs, 'detail', detail, 'reason', reason];
    await this.#redis.xadd(this.tag + DEAD_LETTERS_KEY, ...maxLength, '*', ...fields);
  }

  /** Skips consumers with pending entries, which would be lost. */
  async deleteIdleConsumers(): Promise<void> {
    await this.#withGroup(async () => {
      const consumers = (await this.#redis.xinfo('CONSUMERS', this.#key, GROUP)) as (string | number)[][];
      for (const consumer of consumers) {
        const value = (field: string) => consumer[consumer.indexOf(field) + 1];
        if (Number(value('pending')) === 0 && Number(value('idle')) > DELETE_CONSUMER_AFTER_IDLE_MS) {
          await this.#redis.xgroup('DELCONSUMER', this.#key, GROUP, String(value('name')));
        }
      }
    });
  }

  /** Creates the consumer group if it is missing, from the start of the stream: entries may be older than the group. */
  async #withGroup<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isReply(error, 'NOGROUP')) throw error;
      await this.#redis.xgroup('CREATE', this.#key, GROUP, '0', 'MKSTREAM').catch((failure: unknown) => {
        if (!isReply(failure, 'BUSYGROUP')) throw failure;
      });
      return await work();
    }
  }

  #parse(reply: unknown): OutboxEntry[] {
    const streams = reply as [name: string, entries: [id: string, fields: string[] | null][]][] | null;
    return (streams?.[0]?.[1] ?? []).map(([id, fields]) => parseEntry(id, this.tag, fields ?? []));
  }
}

function isReply(error: unknown, code: string): boolean {
  return error instanceof Error && error.message.startsWith(code);
}

/** An entry that was trimmed while pending has no fields; EventBridge rejects it, which acknowledges it. */
function parseEntry(id: string, tag: string, fields: string[]): OutboxEntry {
  const value = (name: string) => {
    const index = fields.indexOf(name);
    return index < 0 ? '' : (fields[index + 1] ?? '');
  };
  return { id, tag, detailType: value('type'), atMs: Number(value('at')), detail: value('detail') };
}
