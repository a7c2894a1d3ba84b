import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { OutboxEntry } from './event-stream.js';
import type { Outbox } from './outbox.js';
import {
  MAX_BYTES,
  MAX_ENTRIES,
  sizeInBytes,
  type EventBridgePublisher,
  type Verdict,
} from './event-bridge-publisher.js';

/** How long a read waits for a new entry, in milliseconds. */
export const READ_WAIT_MS = 1_000;
const READ_COUNT = 100;
const TAKE_OVER_EVERY_MS = 10_000;
const FORGET_CONSUMERS_EVERY_MS = 600_000;
/**
 * After a read that found something, what comes in next is gathered for this long; what comes after a quiet time is not
 * held up. To read and to publish takes over a millisecond of CPU with one event or ten: 300 starts a second cost 1.5 ms
 * each instead of 2.5.
 */
const GATHER_MS = 100;
const SHORTEST_PAUSE_MS = 200;
/** Below the time after which others take over what this process holds. */
const LONGEST_PAUSE_MS = 30_000;

export interface RelayObserver {
  published(count: number): void;
  /** Failed, and will be tried again. */
  retried(count: number, reason: string): void;
  /** Refused for good; kept as a dead letter. */
  died(entry: OutboxEntry, reason: string): void;
  /** The outbox itself could not be read or written. */
  outboxAway(error: unknown): void;
}

export interface RelayDependencies {
  outbox: Outbox;
  publisher: EventBridgePublisher;
  observer: RelayObserver;
}

/**
 * Publishes what the outbox holds, at least once: an entry is finished only after EventBridge took it, so a process that
 * is killed in between leaves it to another one. Runs in every process; requests never wait for it.
 */
export class Relay {
  readonly #outbox: Outbox;
  readonly #publisher: EventBridgePublisher;
  readonly #observer: RelayObserver;
  readonly #stopping = new AbortController();
  readonly #aborted = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #failures = 0;
  #gathers = false;
  #ownsUnfinished = true;
  #takeOverAt = 0;
  #forgetConsumersAt = Date.now() + FORGET_CONSUMERS_EVERY_MS;

  constructor({ outbox, publisher, observer }: RelayDependencies) {
    this.#outbox = outbox;
    this.#publisher = publisher;
    this.#observer = observer;
    // Each batch under way listens; Node.js would warn of a leak at the eleventh.
    setMaxListeners(Infinity, this.#aborted.signal);
  }

  start(): void {
    this.#running = this.#run();
  }

  /**
   * Publishes what is in the outbox now, for at most graceMs beyond the wait of a read; what is left, because the bus is
   * away, stays there for another process.
   */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    const timer = setTimeout(() => {
      this.#aborted.abort();
    }, READ_WAIT_MS + graceMs);
    // Without Redis the wait ends by itself.
    await this.#outbox.wake().catch(() => undefined);
    await this.#running;
    await this.#drain().catch((error: unknown) => {
      this.#observer.outboxAway(error);
    });
    clearTimeout(timer);
    this.#outbox.close();
    this.#publisher.close();
  }

  async #run(): Promise<void> {
    while (!this.#isStopping()) {
      await this.#turn().catch((error: unknown) => {
        this.#failures++;
        // An answer that was lost on the way may have given this process entries.
        this.#ownsUnfinished = true;
        this.#observer.outboxAway(error);
      });
      if (this.#failures > 0) await this.#pause();
      else if (this.#gathers) await this.#stay(GATHER_MS);
    }
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #turn(): Promise<void> {
    await this.#keepHouse();
    const own = this.#ownsUnfinished ? await this.#outbox.readOwn(READ_COUNT) : [];
    // Where something is unfinished the new ones are only looked at, so that the next try is not late.
    const waitMs = own.length > 0 ? 0 : READ_WAIT_MS;
    const fresh = own.length < READ_COUNT ? await this.#outbox.readNew(READ_COUNT - own.length, waitMs) : [];
    const unfinished = await this.#publishAll([...own, ...fresh]);
    // A read of its own may have left some.
    this.#ownsUnfinished = unfinished > 0 || own.length > 0;
    // A bus that took some is there: what it did not take must not slow the others down.
    const isAway = unfinished > 0 && unfinished === own.length + fresh.length;
    this.#failures = unfinished === 0 ? 0 : isAway ? this.#failures + 1 : 1;
    const found = own.length + fresh.length;
    this.#gathers = found > 0 && found < READ_COUNT;
  }

  async #drain(): Promise<void> {
    for (;;) {
      const entries = [
        ...(await this.#outbox.readOwn(READ_COUNT)),
        ...(await this.#outbox.readNew(READ_COUNT, 0)),
      ];
      if (entries.length === 0 || (await this.#publishAll(entries)) > 0 || this.#aborted.signal.aborted)
        return;
    }
  }

  /** Returns how many entries are not finished. */
  async #publishAll(entries: OutboxEntry[]): Promise<number> {
    // Until they are finished: a write to the outbox may fail as well.
    if (entries.length > 0) this.#ownsUnfinished = true;
    const results = await Promise.all(inBatches(entries).map((batch) => this.#publish(batch)));
    return results.reduce((sum, unfinished) => sum + unfinished, 0);
  }

  /** Returns how many entries of the batch are not finished. */
  async #publish(batch: OutboxEntry[]): Promise<number> {
    let verdicts: Verdict[];
    try {
      verdicts = await this.#publisher.publish(batch, this.#aborted.signal);
    } catch (error) {
      this.#observer.retried(batch.length, error instanceof Error ? error.name : String(error));
      return batch.length;
    }
    const finished: OutboxEntry[] = [];
    let unfinished = 0;
    for (const [index, entry] of batch.entries()) {
      const verdict = verdicts[index];
      if (verdict === 'published') finished.push(entry);
      else if (verdict?.forGood === true) {
        await this.#outbox.keepDeadLetter(entry, verdict.refused);
        this.#observer.died(entry, verdict.refused);
        finished.push(entry);
      } else {
        unfinished++;
        this.#observer.retried(1, verdict?.refused ?? 'no verdict');
      }
    }
    await this.#outbox.finish(finished);
    this.#observer.published(verdicts.filter((verdict) => verdict === 'published').length);
    return unfinished;
  }

  async #keepHouse(): Promise<void> {
    const now = Date.now();
    if (now >= this.#takeOverAt) {
      this.#takeOverAt = now + TAKE_OVER_EVERY_MS;
      const taken = await this.#outbox.takeOverAbandoned(READ_COUNT);
      if (taken > 0) this.#ownsUnfinished = true;
    }
    if (now >= this.#forgetConsumersAt) {
      this.#forgetConsumersAt = now + FORGET_CONSUMERS_EVERY_MS;
      await this.#outbox.forgetGoneConsumers();
    }
  }

  /**
   * Full jitter: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. Waits that fail together
   * come back apart.
   */
  async #pause(): Promise<void> {
    const longest = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** Math.min(this.#failures, 10));
    const ms = Math.max(SHORTEST_PAUSE_MS / 2, Math.random() * longest);
    await this.#stay(ms);
  }

  /** Until it is time, or to stop. */
  async #stay(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }
}

/** In order, as many together as one call takes. */
export function inBatches(entries: OutboxEntry[]): OutboxEntry[][] {
  const batches: OutboxEntry[][] = [];
  let bytes = Infinity;
  for (const entry of entries) {
    const size = sizeInBytes(entry);
    const batch = batches.at(-1);
    if (batch === undefined || batch.length === MAX_ENTRIES || bytes + size > MAX_BYTES) {
      batches.push([entry]);
      bytes = size;
    } else {
      batch.push(entry);
      bytes += size;
    }
  }
  return batches;
}
