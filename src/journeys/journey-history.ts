import type { ErrorCode } from '../contract/errors.js';
import type { FleetCursor, RefusalReason, TimelineKind } from '../contract/fleet.js';
import type { TrainerProblem } from '../contract/requests.js';

/** Times are milliseconds since the epoch by Redis' clock. */
export interface HistoryEntry {
  kind: TimelineKind;
  atMs: number;
  lastAtMs: number;
  count: number;
  code?: ErrorCode | undefined;
  reason?: RefusalReason | undefined;
  problem?: TrainerProblem | undefined;
  by?: 'trainer' | 'admin' | undefined;
}

export interface Refusal {
  code: ErrorCode;
  reason: RefusalReason;
  atMs: number;
  /** Metres, milliseconds or numbers, by the reason. */
  overLimit: number;
}

/** What is recorded of a journey beside its position. */
export interface JourneyHistory {
  startedAtMs: number;
  /** Only after the end. */
  end: { trainerId: string; studentId: string; endedAtMs: number } | null;
  accepted: number;
  lastSequence: number | null;
  lastUpdateMs: number | null;
  nextUpdateMs: number | null;
  /** The last fix that was not coarse. */
  lastPreciseMs: number | null;
  refused: Partial<Record<ErrorCode, number>>;
  lastRefusal: Refusal | null;
  reanchors: number;
  staleEvents: number;
  /** The oldest first. */
  entries: HistoryEntry[];
}

export interface HistoryReading {
  nowMs: number;
  /** Null where nothing is recorded. */
  history: JourneyHistory | null;
  /** When the student last watched, or was refused; null: not lately. */
  watchedMs: number | null;
  watchRefusedMs: number | null;
}

export type WatchMark = 'watched' | 'refused';

/**
 * What support reads, and what is recorded for it beside the calls.
 * Every method throws StateUnavailableError, or CorruptStateError if a stored value cannot be read.
 */
export interface JourneyHistories {
  readonly partitions: number;
  /** Sessions with an active journey, by its expiry within each partition, after the cursor. Fewer than count: no more. */
  activeAfter(cursor: FleetCursor | null, count: number): Promise<FleetCursor[]>;
  read(sessionId: string): Promise<HistoryReading>;
  /** Counts an update of the trainer that was refused by its body. */
  reportRefusal(sessionId: string, trainerId: string, code: ErrorCode): Promise<void>;
  markWatched(sessionId: string, mark: WatchMark): Promise<void>;
}
