import type { LiveJourney } from '../contract/responses.js';
import type { EndReason } from '../contract/events.js';

/** What became of a call. Each refusal is an outcome, not an exception; only a dependency that fails is thrown. */
export type Ended = { kind: 'ended'; trainerId: string; reason: EndReason; endedAtMs: number };
/** Told to a trainer whose journey it was not: that there is none any more, and nothing of it. */
export type EndedForOthers = { kind: 'endedForOthers' };
export type Forbidden = { kind: 'forbidden' };
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
    }
  | { kind: 'sessionNotFound' }
  | { kind: 'notStartable'; status: string }
  | { kind: 'alreadyActive'; startedAtMs: number; expiresAtMs: number }
  | RateLimited
  | Forbidden;

export type RecordOutcome =
  | { kind: 'recorded' | 'duplicate'; timestampMs: number; nextUpdateMs: number }
  | { kind: 'stale'; lastSequence: number | null }
  | RateLimited
  | { kind: 'implausible' }
  | { kind: 'mocked' }
  | Forbidden
  | NotActive
  | Ended
  | EndedForOthers;

export type ArriveOutcome =
  | { kind: 'arrived'; arrivedAtMs: number; distanceMeters: number; replayed: boolean }
  | { kind: 'tooFar'; distanceMeters: number }
  | { kind: 'locationUnknown'; because: 'noPosition' | 'noHome' }
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

export type LiveOutcome =
  | {
      kind: 'live';
      /** Made when it is asked for: half of all callers have it already. */
      show: () => LiveJourney;
      nextPollMs: number;
      /** Changes whenever the state does, and with nothing else. */
      version: string;
      /** Whether a wait that was asked for was granted. */
      waited: boolean;
    }
  | { kind: 'sessionNotFound' }
  | RateLimited
  | Forbidden;
