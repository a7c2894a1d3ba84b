import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { backoffMs } from './backoff.js';
import { toBatches } from './event-batches.js';
import type { EventBridgePublisher, PublishResult } from './event-bridge-publisher.js';
import type { Outbox, OutboxEntry } from './outbox.js';

/** How long a read waits for a new entry, in milliseconds. */
export const READ_WAIT_MS = 1_000;
const READ_COUNT = 100;
const CLAIM_EVERY_MS = 10_000;
const DELETE_CONSUMERS_EVERY_MS = 600_000;
/** Wait between reads under load, which makes batches larger; the first event after an idle period is not delayed. */
const GATHER_MS = 100;

export interface RelayObserver {
  published(count: number): void;
  retried(count: number, reason: string): void;
  deadLettered(entry: OutboxEntry, reason: string): void;
  outboxUnavailable(error: unknown): void;
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
  #failures = 0;
  #isUnderLoad = false;
  #mayHavePending = true;
  #nextClaimAt = 0;
  #nextConsumerCleanupAt = Date.now() + DELETE_CONSUMERS_EVERY_MS;

  constructor(dependencies: { outbox: Outbox; publisher: EventBridgePublisher; observer: RelayObserver }) {
    this.#outbox = dependencies.outbox;
    this.#publisher = dependencies.publisher;
    this.#observer = dependencies.observer;
    // Every batch in flight listens, which can be more than Node's warning threshold.
    setMaxListeners(Infinity, this.#aborted.signal);
  }

  start(): void {
    this.#running = this.#run();
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
    this.#outbox.close();
    this.#publisher.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#relayOnce().catch((error: unknown) => {
        this.#failures++;
        // A lost reply may have assigned entries to this process.
        this.#mayHavePending = true;
        this.#observer.outboxUnavailable(error);
      });
      const waitMs = this.#failures > 0 ? backoffMs(this.#failures) : this.#isUnderLoad ? GATHER_MS : 0;
      if (waitMs > 0) await pause(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #relayOnce(): Promise<void> {
    await this.#maintainGroup();
    const pending = this.#mayHavePending ? await this.#outbox.readPending(READ_COUNT) : [];
    // While entries are pending, reading new ones must not delay their retry.
    const waitMs = pending.length > 0 ? 0 : READ_WAIT_MS;
    const fresh =
      pending.length < READ_COUNT ? await this.#outbox.readNew(READ_COUNT - pending.length, waitMs) : [];
    const found = pending.length + fresh.length;
    const unpublished = await this.#publishAll([...pending, ...fresh]);
    // A read of pending entries may not have returned all of them.
    this.#mayHavePending = unpublished > 0 || pending.length > 0;
    // Partial success shows that the bus is available, so the failed entries must not slow down the others.
    const isBusUnavailable = unpublished > 0 && unpublished === found;
    this.#failures = unpublished === 0 ? 0 : isBusUnavailable ? this.#failures + 1 : 1;
    this.#isUnderLoad = found > 0 && found < READ_COUNT;
  }

  async #drain(): Promise<void> {
    for (;;) {
      const entries = [
        ...(await this.#outbox.readPending(READ_COUNT)),
        ...(await this.#outbox.readNew(READ_COUNT, 0)),
      ];
      if (entries.length === 0 || (await this.#publishAll(entries)) > 0 || this.#aborted.signal.aborted)
        return;
    }
  }

  /** Returns how many entries are to be retried. */
  async #publishAll(entries: OutboxEntry[]): Promise<number> {
    // Until they are acknowledged, which may fail as well.
    if (entries.length > 0) this.#mayHavePending = true;
    const unpublished = await Promise.all(toBatches(entries).map((batch) => this.#publish(batch)));
    return unpublished.reduce((sum, count) => sum + count, 0);
  }

  /** Returns how many entries are to be retried. */
  async #publish(batch: OutboxEntry[]): Promise<number> {
    let results: PublishResult[];
    try {
      results = await this.#publisher.publish(batch, this.#aborted.signal);
    } catch (error) {
      this.#observer.retried(batch.length, error instanceof Error ? error.name : String(error));
      return batch.length;
    }
    const done: OutboxEntry[] = [];
    let published = 0;
    for (const [index, entry] of batch.entries()) {
      const result = results[index] ?? { kind: 'retryable', code: 'NoAnswer' };
      switch (result.kind) {
        case 'published':
          published++;
          done.push(entry);
          break;
        case 'rejected':
          await this.#outbox.deadLetter(entry, result.code);
          this.#observer.deadLettered(entry, result.code);
          done.push(entry);
          break;
        case 'retryable':
          this.#observer.retried(1, result.code);
      }
    }
    await this.#outbox.ack(done);
    this.#observer.published(published);
    return batch.length - done.length;
  }

  async #maintainGroup(): Promise<void> {
    const now = Date.now();
    if (now >= this.#nextClaimAt) {
      this.#nextClaimAt = now + CLAIM_EVERY_MS;
      if ((await this.#outbox.claimIdle(READ_COUNT)) > 0) this.#mayHavePending = true;
    }
    if (now >= this.#nextConsumerCleanupAt) {
      this.#nextConsumerCleanupAt = now + DELETE_CONSUMERS_EVERY_MS;
      await this.#outbox.deleteIdleConsumers();
    }
  }
}
