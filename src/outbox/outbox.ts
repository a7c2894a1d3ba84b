/** An event as the scripts recorded it. */
export interface OutboxEntry {
  id: string;
  /** Tag of the partition whose stream holds the entry. */
  tag: string;
  detailType: string;
  atMs: number;
  /** JSON */
  detail: string;
}

/** The unpublished events; all processes share them through one consumer group. */
export interface Outbox {
  /** Reads entries that no process has read; waits up to waitMs for the first one. */
  readNew(count: number, waitMs: number): Promise<OutboxEntry[]>;
  /** Reads entries that this process has read and not acknowledged. */
  readPending(count: number): Promise<OutboxEntry[]>;
  /** Claims entries of processes that have died, for readPending. Returns how many. */
  claimIdle(count: number): Promise<number>;
  /** Acknowledges entries and deletes them. */
  ack(entries: OutboxEntry[]): Promise<void>;
  /** Stores a copy of an entry that the bus rejected, with the reason. */
  deadLetter(entry: OutboxEntry, reason: string): Promise<void>;
  deleteIdleConsumers(): Promise<void>;
  /** Interrupts a waiting readNew, which returns no entries. */
  wake(): Promise<void>;
  close(): void;
}
