import type { EndReason } from '../contract/events.js';

/** Results of the calls. A refusal is an outcome, not an exception; only a dependency that fails is thrown. */
export type Ended = { kind: 'ended'; trainerId: string; reason: EndReason; endedAtMs: number };
/** For callers other than the journey's trainer and admins: no details of the end. */
export type EndedForOthers = { kind: 'endedForOthers' };
export type Forbidden = { kind: 'forbidden' };
/** noPosition: none that is recent and precise enough. */
export type LocationUnknown = { kind: 'locationUnknown'; because: 'noPosition' | 'noHome' };
export type NotActive = { kind: 'notActive' };
export type RateLimited = { kind: 'rateLimited'; retryAfterMs: number };

export type StartOutcome =
  | {
      kind: 'started';
      trainerId: string;
      studentId: string;
      startedAtMs: number;
      expiresAtMs: number;
      replayed: boolean;
      /** The trainer cannot arrive, only stop. */
      isHomeUnreadable?: boolean;
    }
  | { kind: 'sessionNotFound' }
  | { kind: 'notStartable'; status: string }
  | { kind: 'alreadyActive'; startedAtMs: number; expiresAtMs: number; lastSequence: number | null }
  | RateLimited
  | Forbidden;

export type RecordOutcome =
  /** reanchored: recorded although it is implausible after the last one, which was wrong. */
  | {
      kind: 'recorded' | 'reanchored' | 'heartbeat' | 'duplicate';
      timestampMs: number;
      nextUpdateMs: number;
    }
  | { kind: 'stale'; lastSequence: number | null }
  | RateLimited
  | { kind: 'implausible' }
  | { kind: 'mocked' }
  | LocationUnknown
  | Forbidden
  | NotActive
  | Ended
  | EndedForOthers;

export type ArriveOutcome =
  | { kind: 'arrived'; arrivedAtMs: number; distanceMeters: number; replayed: boolean }
  | { kind: 'tooFar'; distanceMeters: number }
  | LocationUnknown
  | Forbidden
  | NotActive
  | Ended
  | EndedForOthers;

export type StopOutcome =
  | { kind: 'stopped'; stoppedAtMs: number; replayed: boolean }
  | Forbidden
  | NotActive
  | Ended
  | EndedForOthers;
