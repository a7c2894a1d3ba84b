export interface Place {
  latitude: number;
  longitude: number;
}

/** A tutoring session as the platform has it. */
export interface PlatformSession {
  sessionId: string;
  trainerId: string;
  studentId: string;
  status: string;
  home: (Place & { address?: string }) | null;
}

export type EndReason = 'arrived' | 'cancelled' | 'timeout';

/** A position as it was accepted. */
export interface Taken extends Place {
  accuracy?: number | undefined;
  speed?: number | undefined;
  heading?: number | undefined;
  sequence?: number | undefined;
  atMs: number;
  fixMs: number;
  /** What the answer asked for; null where nobody heard it. */
  nextUpdateMs: number | null;
}

export interface Journey {
  startedAtMs: number;
  expiresAtMs: number;
  last: Taken | null;
  /** The last one with a sequence. */
  lastNumbered: { sequence: number; atMs: number; nextUpdateMs: number | null } | null;
  /** What the next position is judged by: the last one that is not coarse. */
  reference: (Place & { accuracy?: number | undefined; fixMs: number }) | null;
  wasNearby: boolean;
}

/** What a call with an Idempotency-Key answered first. */
export interface FirstAnswer {
  status: number;
  data: Record<string, unknown>;
  untilMs: number;
}

/** All that there is to know of one session; never changed, only followed by another. */
export interface SessionState {
  /** Also one whose limit has passed and that nobody has swept up yet. */
  journey: Journey | null;
  ended: { startedAtMs: number; endedAtMs: number; reason: EndReason; untilMs: number } | null;
  firstAnswers: Readonly<Record<string, FirstAnswer>>;
  staleTold: { ofStartMs: number; atMs: number } | null;
  metaUntilMs: number | null;
  missingUntilMs: number | null;
}

export const nothingYet: SessionState = {
  journey: null,
  ended: null,
  firstAnswers: {},
  staleTold: null,
  metaUntilMs: null,
  missingUntilMs: null,
};

export interface ToldEvent {
  detailType: 'TrainerJourneyStarted' | 'TrainerJourneyEnded' | 'TrainerNearby' | 'TrainerLocationStale';
  /** Without its eventId. */
  detail: Record<string, unknown>;
}

/** What one call is judged by. */
export interface Situation {
  session: PlatformSession | null;
  state: SessionState;
  /** The theoretical arrival time of the trainer's next update (GCRA); 'unknown' after an update that nobody heard of. */
  arrivalMs: number | null | 'unknown';
  nowMs: number;
}

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}
