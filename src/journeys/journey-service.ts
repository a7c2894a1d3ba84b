import type { ErrorCode } from '../contract/errors.js';
import type { Heartbeat, PositionUpdate } from '../contract/requests.js';
import { withTimeout } from './errors.js';
import type { JourneyHistories } from './journey-history.js';
import { jittered } from './jitter.js';
import { startableStatuses, type Caller, type Session } from './journey.js';
import type { ArriveOutcome, EndedForOthers, RecordOutcome, StartOutcome, StopOutcome } from './outcomes.js';
import type {
  Idempotency,
  JourneyObserver,
  JourneyStore,
  JourneyToStart,
  SessionRepository,
} from './ports.js';
import type { RateLimiter } from './rate-limiter.js';

export interface JourneyServiceDependencies {
  store: JourneyStore;
  sessions: SessionRepository;
  histories: Pick<JourneyHistories, 'reportRefusal'>;
  /** Limits starts. */
  starts: RateLimiter;
  /** Limits calls for sessions that do not exist. */
  guesses: RateLimiter;
  observer: JourneyObserver;
  /** Factor by which overload slows updates down; 1: not at all. */
  stretch: () => number;
}

/**
 * Starts, positions, arrivals and stops, for callers whose role permits the call (permissions.ts). Refusals are outcomes.
 * Every method throws StateUnavailableError, or CorruptStateError if a stored value cannot be read.
 */
export class JourneyService {
  readonly #dependencies: JourneyServiceDependencies;

  constructor(dependencies: JourneyServiceDependencies) {
    this.#dependencies = dependencies;
  }

  /** timeoutMs: for Postgres and Redis together. key: the caller's idempotency key. */
  start(
    caller: Caller,
    sessionId: string,
    key: string | undefined,
    timeoutMs: number,
  ): Promise<StartOutcome> {
    return withTimeout(timeoutMs, 'postgres', this.#start(caller, sessionId, idempotency(caller, key)));
  }

  async #start(caller: Caller, sessionId: string, repeat: Idempotency | null): Promise<StartOutcome> {
    const { sessions, starts, guesses } = this.#dependencies;
    const { userId } = caller;
    const retryAfterMs = Math.max(starts.retryAfterMs(userId), guesses.retryAfterMs(userId));
    if (retryAfterMs > 0) return { kind: 'rateLimited', retryAfterMs };
    const session = await sessions.find(sessionId);
    const outcome = await this.#startOrRepeat(caller, sessionId, session, repeat);
    const isHomeUnreadable = session?.isHomeUnreadable ?? false;
    return outcome.kind === 'started' && isHomeUnreadable ? { ...outcome, isHomeUnreadable } : outcome;
  }

  async #startOrRepeat(
    caller: Caller,
    sessionId: string,
    session: Session | null,
    repeat: Idempotency | null,
  ): Promise<StartOutcome> {
    const { store, starts, guesses } = this.#dependencies;
    const { userId } = caller;
    const admission = admit(session, caller);
    if (admission.kind === 'admitted') {
      const attempt = await store.start(admission.journey, repeat);
      if (attempt.kind === 'started' && !attempt.replayed) starts.consume(userId);
      return attempt;
    }
    if (admission.kind === 'sessionNotFound') guesses.consume(userId);
    const mayRepeatAStart = repeat !== null || admission.kind === 'notStartable';
    if (!mayRepeatAStart) return admission;
    // The platform changes the session's status after a start, so a repeat is judged by the first one.
    const earlier = await store.findStart(sessionId, repeat);
    if (earlier?.kind === 'started') return earlier;
    return admission.kind === 'notStartable' ? (earlier ?? admission) : admission;
  }

  async recordUpdate(caller: Caller, update: PositionUpdate | Heartbeat): Promise<RecordOutcome> {
    const outcome = await this.#recordUpdate(caller.userId, update);
    this.#dependencies.observer.positionTaken(outcome.kind);
    return redactFor(caller, outcome);
  }

  async #recordUpdate(trainerId: string, update: PositionUpdate | Heartbeat): Promise<RecordOutcome> {
    const { store } = this.#dependencies;
    const stretch = jittered(this.#dependencies.stretch());
    if ('heartbeat' in update) return store.recordHeartbeat({ ...update, trainerId, stretch });
    const { sessionId, ageMs } = update;
    if (update.mocked) {
      this.#reportRefusal(trainerId, sessionId, 'LOCATION_MOCKED');
      return { kind: 'mocked' };
    }
    return store.recordPosition({ sessionId, trainerId, position: update, ageMs, stretch });
  }

  /** An update whose body is invalid. */
  refuseUpdate(caller: Caller, sessionId: string): void {
    this.#reportRefusal(caller.userId, sessionId, 'VALIDATION_FAILED');
  }

  /** Never slows or fails the response. */
  #reportRefusal(trainerId: string, sessionId: string, code: ErrorCode): void {
    this.#dependencies.histories.reportRefusal(sessionId, trainerId, code).catch(() => undefined);
  }

  async arrive(caller: Caller, sessionId: string, key: string | undefined): Promise<ArriveOutcome> {
    const { store } = this.#dependencies;
    return redactFor(caller, await store.arrive(sessionId, caller.userId, idempotency(caller, key)));
  }

  async stop(caller: Caller, sessionId: string, key: string | undefined): Promise<StopOutcome> {
    const { store } = this.#dependencies;
    const stoppedBy = caller.role === 'admin' ? null : caller.userId;
    return redactFor(caller, await store.stop(sessionId, stoppedBy, idempotency(caller, key)));
  }
}

/** Anybody learns that a journey has ended; how and when is for its trainer and admins. */
function redactFor<Outcome extends RecordOutcome | ArriveOutcome | StopOutcome>(
  { userId, role }: Caller,
  outcome: Outcome,
): Outcome | EndedForOthers {
  if (outcome.kind !== 'ended' || role === 'admin' || outcome.trainerId === userId) return outcome;
  return { kind: 'endedForOthers' };
}

type Admission =
  | { kind: 'admitted'; journey: JourneyToStart }
  | Extract<StartOutcome, { kind: 'sessionNotFound' | 'forbidden' | 'notStartable' }>;

function admit(session: Session | null, caller: Caller): Admission {
  if (session === null) return { kind: 'sessionNotFound' };
  if (session.trainerId !== caller.userId) return { kind: 'forbidden' };
  // A session without a student has no destination, whatever its status.
  if (session.studentId === null || !startableStatuses.includes(session.status)) {
    return { kind: 'notStartable', status: session.status };
  }
  return { kind: 'admitted', journey: { trainerId: caller.userId, studentId: session.studentId, session } };
}

function idempotency(caller: Caller, key: string | undefined): Idempotency | null {
  return key === undefined ? null : { callerId: caller.userId, key };
}
