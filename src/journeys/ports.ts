import type { HeartbeatKind } from '../contract/requests.js';
import type { ActiveState, EndedJourney, LiveLocation, Position, Session } from './journey.js';
import type { ArriveOutcome, RecordOutcome, StartOutcome, StopOutcome } from './outcomes.js';

/** A repeat with the same key by the same caller for the same call gets the first response again. */
export interface Idempotency {
  callerId: string;
  key: string;
}

export type StartedJourney = Extract<StartOutcome, { kind: 'started' }>;
export type StartAttempt = Extract<StartOutcome, { kind: 'started' | 'alreadyActive' }>;

export interface JourneyToStart {
  trainerId: string;
  studentId: string;
  session: Session;
}

export interface PositionToRecord {
  sessionId: string;
  trainerId: string;
  position: Position;
  /** How old the fix was when it was sent. */
  ageMs: number;
  /** Factor by which overload delays the next update; 1: not at all. */
  stretch: number;
}

export type HeartbeatToRecord = Pick<PositionToRecord, 'sessionId' | 'trainerId' | 'stretch'> & {
  heartbeat: HeartbeatKind;
  sequence: number | undefined;
};

export type LiveReading =
  | ({ kind: 'active' } & ActiveState)
  | { kind: 'ended'; journey: EndedJourney }
  | { kind: 'inactive'; session: Session | null; knownMissing: boolean };

/**
 * The state of all journeys. Each method is one atomic step in one round trip.
 * Every method throws StateUnavailableError, or CorruptStateError if a stored value cannot be read.
 */
export interface JourneyStore {
  start(journey: JourneyToStart, idempotency: Idempotency | null): Promise<StartAttempt>;
  /** The first response to a start with this key, else the session's active journey, else null. */
  findStart(sessionId: string, idempotency: Idempotency | null): Promise<StartAttempt | null>;
  recordPosition(update: PositionToRecord): Promise<RecordOutcome>;
  recordHeartbeat(heartbeat: HeartbeatToRecord): Promise<RecordOutcome>;
  readLive(sessionId: string): Promise<LiveReading>;
  /** Records an event for a student who sees a stale position, at most once a minute per journey. */
  reportStale(sessionId: string): Promise<void>;
  arrive(sessionId: string, trainerId: string, idempotency: Idempotency | null): Promise<ArriveOutcome>;
  /** stoppedBy: the trainer's id; null: an admin, who may stop any journey. */
  stop(sessionId: string, stoppedBy: string | null, idempotency: Idempotency | null): Promise<StopOutcome>;
}

/** The platform's sessions. @throws StateUnavailableError */
export interface SessionRepository {
  find(sessionId: string): Promise<Session | null>;
}

/** Sessions for polls of sessions without a journey, cached. @throws StateUnavailableError */
export interface SessionLookup {
  find(sessionId: string, callerId: string): Promise<Session | null>;
}

export type JourneyChange =
  | { kind: 'position'; location: LiveLocation }
  /** A start, an end, or a problem of the phone; read the state. */
  | { kind: 'lifecycle' }
  /** Changes may have been missed, and no further one arrives. */
  | { kind: 'broken' };
export interface ChangeListener {
  changed(change: JourneyChange): void;
}

/** Changes of journeys as they happen, in order per session. */
export interface JourneyChanges {
  readonly isUp: boolean;
  /** One listener per session. Once it resolves no change is missed. @throws StateUnavailableError */
  follow(sessionId: string, listener: ChangeListener): Promise<void>;
  unfollow(sessionIds: string[]): void;
}

/** Counts for operators. */
export interface JourneyObserver {
  polled(answeredFrom: 'state' | 'cache' | 'postgres' | 'change'): void;
  positionTaken(outcome: RecordOutcome['kind']): void;
}
