import type { RedisCommands } from '../store/connection.js';
import { DEAD_LETTERS_KEY, OUTBOX_KEY, RELAYS_KEY } from '../store/keys.js';
import type { JourneyScripts } from '../store/scripts.js';
import type { OutboxEntry } from './outbox.js';

/** The consumer group of all processes. */
export const GROUP = 'relay';
/** A relay that has sent no heartbeat for so long has died; one that waits for EventBridge or backs off still sends them. */
export const DEAD_AFTER_MS = 5_000;

export interface EventStreamDependencies {
  redis: RedisCommands & JourneyScripts;
  /** A separate connection if reads block. */
  reader: RedisCommands;
  consumer: string;
  tag: string;
}

/** One partition's Redis stream of unpublished events, read through a consumer group. */
export class EventStream {
  readonly tag: string;
  readonly #redis: RedisCommands & JourneyScripts;
  readonly #reader: RedisCommands;
  readonly #consumer: string;
  readonly #key: string;
  /** The last pending entry that was read. */
  #lastPending = '0';

  constructor({ redis, reader, consumer, tag }: EventStreamDependencies) {
    this.#redis = redis;
    this.#reader = reader;
    this.#consumer = consumer;
    this.tag = tag;
    this.#key = tag + OUTBOX_KEY;
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

  /** Continues after the entries of the last call and begins again at the end, so that entries that fail block no others. */
  async readPending(count: number): Promise<OutboxEntry[]> {
    const after = this.#lastPending;
    const read = ['GROUP', GROUP, this.#consumer, 'COUNT', count, 'STREAMS', this.#key, after] as const;
    const entries = await this.#withGroup(async () => this.#parse(await this.#reader.xreadgroup(...read)));
    this.#lastPending = entries.length < count ? '0' : (entries.at(-1)?.id ?? '0');
    return entries.length === 0 && after !== '0' ? this.readPending(count) : entries;
  }

  async heartbeat(mayClaim: boolean): Promise<number> {
    const keys = [this.#key, this.tag + RELAYS_KEY];
    const args = [GROUP, this.#consumer, DEAD_AFTER_MS, mayClaim ? '1' : ''];
    return this.#withGroup(() => this.#redis.relayHeartbeat(...keys, ...args));
  }

  async ack(entries: OutboxEntry[]): Promise<void> {
    await this.#settle(entries, '');
  }

  async deadLetter(entry: OutboxEntry, reason: string): Promise<void> {
    await this.#settle([entry], reason);
  }

  async #settle(entries: OutboxEntry[], reason: string): Promise<void> {
    if (entries.length === 0) return;
    const keys = [this.#key, this.tag + DEAD_LETTERS_KEY];
    await this.#redis.settleEvents(...keys, GROUP, reason, ...entries.map(({ id }) => id));
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
  return error instanceof Error && error.message.includes(code);
}

/** An entry that was trimmed while pending has no fields; EventBridge rejects it, which deletes it. */
function parseEntry(id: string, tag: string, fields: string[]): OutboxEntry {
  const value = entryFields(fields);
  return { id, tag, detailType: value('type'), atMs: Number(value('at')), detail: value('detail') };
}

/** The fields of an entry by name; '' for one that it lacks. */
export function entryFields(fields: string[]): (name: string) => string {
  return (name) => {
    const index = fields.indexOf(name);
    return index < 0 ? '' : (fields[index + 1] ?? '');
  };
}
