import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { backoffMs } from './backoff.js';
import { toBatches } from './event-batches.js';
import { DEAD_AFTER_MS } from './event-stream.js';
import type { EventBridgePublisher, PublishResult } from './event-bridge-publisher.js';
import type { Outbox, OutboxEntry } from './outbox.js';

/** How long a read waits for a new entry, in milliseconds. */
const READ_WAIT_MS = 1_000;
const READ_COUNT = 100;
/** So often a process shows that it lives. */
const HEARTBEAT_MS = 1_000;
/** After an outage of Redis the others get as much time to return as they may miss heartbeats. */
const BEATS_BEFORE_CLAIMING = DEAD_AFTER_MS / HEARTBEAT_MS;
/** Entries may be pending unnoticed: those of a reply that was lost. */
const CHECK_PENDING_MS = 5_000;
/** Of an EventBridge that is unavailable: enough to notice that it accepts events again, whatever is pending. */
const READ_COUNT_IN_OUTAGE = 10;
/** Wait between reads under load, which makes batches larger; the first event after an idle period is not delayed. */
const GATHER_MS = 100;
/** As long as EventBridge itself retries a target. */
const LONGEST_RETRY_MS = 24 * 3_600_000;

export interface RelayObserver {
  published(count: number): void;
  retried(count: number, reason: string): void;
  deadLettered(entry: OutboxEntry, reason: string): void;
  outboxUnavailable(error: unknown): void;
}

/** What became of entries. isCallFailed: at least one call got no answer about its entries. */
interface Published {
  settled: number;
  unpublished: number;
  isCallFailed: boolean;
}

/**
 * Publishes the events of the outbox at least once: an entry is acknowledged after EventBridge has accepted it, so the
 * entries of a killed process are published by another one. Runs in every process; requests never wait for it.
 */
export class Relay {
  readonly #outbox: Outbox;
  readonly #publisher: EventBridgePublisher;
  readonly #observer: RelayObserver;
  readonly #stopping = new AbortController();
  readonly #aborted = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #heartbeat: NodeJS.Timeout | undefined;
  #steadyBeats = 0;
  #failures = 0;
  #isOutage = false;
  #isUnderLoad = false;
  /** When pending entries are read again, by performance.now(). */
  #retryAtMs = 0;

  constructor(dependencies: { outbox: Outbox; publisher: EventBridgePublisher; observer: RelayObserver }) {
    this.#outbox = dependencies.outbox;
    this.#publisher = dependencies.publisher;
    this.#observer = dependencies.observer;
    // Every batch in flight listens, which can be more than Node's warning threshold.
    setMaxListeners(Infinity, this.#aborted.signal);
  }

  start(): void {
    this.#heartbeat = setInterval(() => void this.#beat(), HEARTBEAT_MS);
    // Before it reads anything that another process may have to claim.
    this.#running = this.#beat().then(() => this.#run());
  }

  /** Publishes what is in the outbox now, within READ_WAIT_MS + graceMs; the rest is left to other processes. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    const timer = setTimeout(() => {
      this.#aborted.abort();
    }, READ_WAIT_MS + graceMs);
    // Without Redis the read ends with its own timeout.
    await this.#outbox.wake().catch(() => undefined);
    await this.#running;
    await this.#drain().catch((error: unknown) => {
      this.#observer.outboxUnavailable(error);
    });
    clearTimeout(timer);
    clearInterval(this.#heartbeat);
    this.#outbox.close();
    this.#publisher.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      let waitMs = 0;
      try {
        await this.#relayOnce();
        waitMs = this.#isOutage ? this.#untilRetryMs() : this.#isUnderLoad ? GATHER_MS : 0;
      } catch (error) {
        this.#observer.outboxUnavailable(error);
        // A lost reply may have assigned entries to this process.
        this.#retryAtMs = 0;
        waitMs = backoffMs(++this.#failures);
      }
      if (waitMs > 0) await pause(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #relayOnce(): Promise<void> {
    const isRetry = this.#untilRetryMs() === 0;
    // Before the read: entries may be claimed meanwhile.
    if (isRetry) this.#retryAtMs = performance.now() + CHECK_PENDING_MS;
    const pending = isRetry ? await this.#outbox.readPending(READ_COUNT) : [];
    if (pending.length > 0) this.#retryAtMs = 0;
    const waitMs = pending.length > 0 ? 0 : Math.min(READ_WAIT_MS, this.#untilRetryMs());
    const count = this.#isOutage ? READ_COUNT_IN_OUTAGE : READ_COUNT;
    const fresh = await this.#outbox.readNew(count, Math.ceil(waitMs));
    const found = pending.length + fresh.length;
    const { settled, unpublished, isCallFailed } = await this.#publishAll([...pending, ...fresh]);
    this.#isUnderLoad = found > 0 && found < READ_COUNT;
    // Entries that EventBridge answers about, one by one, must not slow down the others.
    this.#isOutage = isCallFailed && settled === 0;
    if (isRetry && unpublished === 0) this.#failures = 0;
    if (unpublished > 0 && (isRetry || this.#failures === 0))
      this.#retryAtMs = performance.now() + backoffMs(++this.#failures);
  }

  /** Independent of what the relay waits for. Claims the entries of processes that have died. */
  async #beat(): Promise<void> {
    try {
      const claimed = await this.#outbox.heartbeat(this.#steadyBeats > BEATS_BEFORE_CLAIMING);
      this.#steadyBeats = claimed < 0 ? 0 : this.#steadyBeats + 1;
      if (claimed > 0) this.#retryAtMs = 0;
    } catch {
      // #run reports the outage.
      this.#steadyBeats = 0;
    }
  }

  #untilRetryMs(): number {
    return Math.max(0, this.#retryAtMs - performance.now());
  }

  async #drain(): Promise<void> {
    for (;;) {
      const entries = [
        ...(await this.#outbox.readPending(READ_COUNT)),
        ...(await this.#outbox.readNew(READ_COUNT, 0)),
      ];
      const { settled } = await this.#publishAll(entries);
      if (settled === 0 || this.#aborted.signal.aborted) return;
    }
  }

  async #publishAll(entries: OutboxEntry[]): Promise<Published> {
    const results = await Promise.all(toBatches(entries).map((batch) => this.#publish(batch)));
    const settled = results.reduce((sum, result) => sum + result.settled, 0);
    const isCallFailed = results.some((result) => result.isCallFailed);
    return { settled, unpublished: entries.length - settled, isCallFailed };
  }

  async #publish(batch: OutboxEntry[]): Promise<Omit<Published, 'unpublished'>> {
    let results: PublishResult[];
    try {
      results = await this.#publisher.publish(batch, this.#aborted.signal);
    } catch (error) {
      this.#observer.retried(batch.length, error instanceof Error ? error.name : String(error));
      return { settled: 0, isCallFailed: true };
    }
    const published: OutboxEntry[] = [];
    const rejected: [entry: OutboxEntry, code: string][] = [];
    const retried: string[] = [];
    for (const [index, entry] of batch.entries()) {
      const result = results[index] ?? { kind: 'retryable', code: 'NoAnswer' };
      if (result.kind === 'published') published.push(entry);
      else if (result.kind === 'rejected' || isTooOld(entry)) rejected.push([entry, result.code]);
      else retried.push(result.code);
    }
    await this.#outbox.ack(published);
    this.#observer.published(published.length);
    for (const [entry, code] of rejected) {
      await this.#outbox.deadLetter(entry, code);
      this.#observer.deadLettered(entry, code);
    }
    if (retried.length > 0) this.#observer.retried(retried.length, [...new Set(retried)].join());
    return { settled: published.length + rejected.length, isCallFailed: false };
  }
}

function isTooOld({ id }: OutboxEntry): boolean {
  return Date.now() - Number(id.split('-')[0]) > LONGEST_RETRY_MS;
}
