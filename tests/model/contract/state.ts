import type { Belief } from './plausibility.js';

export interface Place {
  latitude: number;
  longitude: number;
}

/** A row of the platform's table. */
export interface PlatformSession {
  sessionId: string;
  trainerId: string;
  studentId: string;
  status: string;
  home: (Place & { address?: string }) | null;
}

export type EndReason = 'arrived' | 'cancelled' | 'timeout';

export interface AcceptedPosition extends Place {
  accuracy?: number | undefined;
  speed?: number | undefined;
  heading?: number | undefined;
  sequence?: number | undefined;
  atMs: number;
  fixMs: number;
  /** When the phone was last known to be there: at the fix, or at a still heartbeat. */
  seenMs: number;
  /** Of the answer; null where none was received. */
  nextUpdateMs: number | null;
}

export interface Journey {
  startedAtMs: number;
  expiresAtMs: number;
  last: AcceptedPosition | null;
  /** The last update with a sequence. */
  lastNumbered: {
    sequence: number;
    /** Undefined: a position. */
    heartbeat?: string | undefined;
    atMs: number;
    nextUpdateMs: number | null;
  } | null;
  /** Of the last heartbeat, if no position came after it. */
  problem: string | null;
  belief: Belief;
  /** When the last update came that used the rate's slot. */
  cameAtMs: number | null;
  /** How long after the last accepted update the next is due; null where that is not known. */
  dueInMs: number | null;
  /** The phone has come before it was asked to. */
  isEarly: boolean;
  wasNearby: boolean;
}

/** The first answer to a call with an Idempotency-Key. */
export interface FirstAnswer {
  status: number;
  data: Record<string, unknown>;
  untilMs: number;
}

/** The immutable state of one session. */
export interface SessionState {
  /** Also one that is past its limit and not ended yet. */
  journey: Journey | null;
  ended: { startedAtMs: number; endedAtMs: number; reason: EndReason; untilMs: number } | null;
  firstAnswers: Readonly<Record<string, FirstAnswer>>;
  staleReported: { ofStartMs: number; atMs: number } | null;
  metaUntilMs: number | null;
  missingUntilMs: number | null;
}

export const nothingYet: SessionState = {
  journey: null,
  ended: null,
  firstAnswers: {},
  staleReported: null,
  metaUntilMs: null,
  missingUntilMs: null,
};

export interface ModelEvent {
  detailType: 'TrainerJourneyStarted' | 'TrainerJourneyEnded' | 'TrainerNearby' | 'TrainerLocationStale';
  /** Without its eventId. */
  detail: Record<string, unknown>;
}

/** The input of a decision. */
export interface Situation {
  session: PlatformSession | null;
  state: SessionState;
  /** The theoretical arrival time of the trainer's next update (GCRA); 'unknown' after an update without an answer. */
  arrivalMs: number | null | 'unknown';
  nowMs: number;
}

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}
