/** An event as the scripts recorded it. */
export interface OutboxEntry {
  /** Of the Redis stream: milliseconds since the epoch, a hyphen and a number. */
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
  /** Reads entries that this process has read and not acknowledged, in turn; none if there are none. */
  readPending(count: number): Promise<OutboxEntry[]>;
  /**
   * Shows that this process lives. mayClaim: claims entries of processes that have died, for readPending. Returns how
   * many, or -1 if the last heartbeat was too long ago.
   */
  heartbeat(mayClaim: boolean): Promise<number>;
  /** Acknowledges entries and deletes them. */
  ack(entries: OutboxEntry[]): Promise<void>;
  /** Moves an entry that the bus rejected to the dead letters, with the reason. */
  deadLetter(entry: OutboxEntry, reason: string): Promise<void>;
  /** Interrupts a waiting readNew, which returns no entries. */
  wake(): Promise<void>;
  close(): void;
}
