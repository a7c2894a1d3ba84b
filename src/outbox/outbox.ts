import type { OutboxEntry } from './event-stream.js';

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
