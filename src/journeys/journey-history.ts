import type { ErrorCode } from '../contract/errors.js';
import type { EndReason } from '../contract/events.js';
import type { FleetCursor, RefusalReason, TimelineKind } from '../contract/fleet.js';
import type { TrainerProblem } from '../contract/requests.js';

/** What has happened once, or several times at most a minute apart. Times are milliseconds by Redis' clock. */
export interface HistoryEntry {
  kind: TimelineKind;
  atMs: number;
  lastAtMs: number;
  count: number;
  /** Updates accepted before the first. */
  acceptedBefore?: number | undefined;
  code?: ErrorCode | undefined;
  reason?: RefusalReason | undefined;
  /** Of the last refusal: metres, milliseconds or numbers, by the reason. */
  overLimit?: number | undefined;
  problem?: TrainerProblem | undefined;
  by?: 'trainer' | 'admin' | undefined;
}

/** What is recorded of a journey beside its position. */
export interface JourneyHistory {
  startedAtMs: number;
  /** Null while the journey is active. */
  end: { trainerId: string; studentId: string; endedAtMs: number; reason: EndReason } | null;
  accepted: number;
  lastSequence: number | null;
  lastUpdateMs: number | null;
  nextUpdateMs: number | null;
  /** The last fix that was not coarse. */
  lastPreciseMs: number | null;
  refused: Partial<Record<ErrorCode, number>>;
  reanchors: number;
  staleEvents: { count: number; lastAtMs: number } | null;
  /** The oldest first. */
  entries: HistoryEntry[];
}

export interface HistoryReading {
  nowMs: number;
  /** Null where nothing is recorded. */
  history: JourneyHistory | null;
  /** When the student last watched, or another student was refused; null: not in the last 10 minutes. */
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
  /** Counts an update that was refused without a look at the journey, if it is of its trainer. */
  reportRefusal(sessionId: string, trainerId: string, code: ErrorCode): Promise<void>;
  markWatched(sessionId: string, mark: WatchMark): Promise<void>;
}
