import type { PositionUpdate } from '../contract/requests.js';
import type { RateLimiter } from './rate-limiter.js';
import { withTimeout } from './errors.js';
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

export interface JourneyServiceDependencies {
  store: JourneyStore;
  sessions: SessionRepository;
  /** Starts, each of which leaves records and tells the platform. */
  starts: RateLimiter;
  /** Questions for sessions that do not exist. */
  guesses: RateLimiter;
  observer: JourneyObserver;
  /** How far updates are put off because the service has too much to do; 1: not at all. */
  stretch: () => number;
}

/**
 * The journeys of trainers to students, for callers whose role permits the call (see permissions.ts). Refusals are
 * outcomes; each method throws StateUnavailableError where a dependency is away, and CorruptStateError where a stored
 * value cannot be read.
 */
export class JourneyService {
  readonly #store: JourneyStore;
  readonly #sessions: SessionRepository;
  readonly #starts: RateLimiter;
  readonly #guesses: RateLimiter;
  readonly #observer: JourneyObserver;
  readonly #stretch: () => number;

  constructor(dependencies: JourneyServiceDependencies) {
    this.#store = dependencies.store;
    this.#sessions = dependencies.sessions;
    this.#starts = dependencies.starts;
    this.#guesses = dependencies.guesses;
    this.#observer = dependencies.observer;
    this.#stretch = dependencies.stretch;
  }

  /** withinMs: for Postgres and Redis together, which are asked one after the other. */
  startJourney(
    caller: Caller,
    sessionId: string,
    key: string | undefined,
    withinMs: number,
  ): Promise<StartOutcome> {
    return withTimeout(withinMs, 'postgres', this.#start(caller, sessionId, idempotency(caller, key)));
  }

  async #start(caller: Caller, sessionId: string, repeat: Idempotency | null): Promise<StartOutcome> {
    const { userId } = caller;
    const retryAfterMs = Math.max(this.#starts.waitMs(userId), this.#guesses.waitMs(userId));
    if (retryAfterMs > 0) return { kind: 'rateLimited', retryAfterMs };
    const admission = admit(await this.#sessions.find(sessionId), caller);
    if (admission.kind === 'sessionNotFound') this.#guesses.spend(userId);
    if (admission.kind === 'admitted') {
      const attempt = await this.#store.start(admission.journey, repeat);
      if (attempt.kind === 'started' && !attempt.replayed) this.#starts.spend(userId);
      return attempt;
    }
    // The platform moves the session's status on when it hears of the start, so a second one must not be judged by it.
    if (repeat === null && admission.kind !== 'notStartable') return admission;
    const earlier = await this.#store.findStart(sessionId, repeat);
    const isAnswer = earlier?.kind === 'started' || admission.kind === 'notStartable';
    return isAnswer ? (earlier ?? admission) : admission;
  }

  async recordPosition(caller: Caller, update: PositionUpdate): Promise<RecordOutcome> {
    const outcome: RecordOutcome =
      update.mocked === true
        ? { kind: 'mocked' }
        : await this.#store.recordPosition({
            sessionId: update.sessionId,
            trainerId: caller.userId,
            position: update,
            ageMs: update.ageMs ?? 0,
            stretch: jittered(this.#stretch()),
          });
    this.#observer.positionTaken(outcome.kind);
    return toldTo(caller, outcome);
  }

  async arrive(caller: Caller, sessionId: string, key: string | undefined): Promise<ArriveOutcome> {
    return toldTo(caller, await this.#store.arrive(sessionId, caller.userId, idempotency(caller, key)));
  }

  async stop(caller: Caller, sessionId: string, key: string | undefined): Promise<StopOutcome> {
    const stoppedBy = caller.role === 'admin' ? null : caller.userId;
    return toldTo(caller, await this.#store.stop(sessionId, stoppedBy, idempotency(caller, key)));
  }
}

/**
 * The contract asks for an active journey before it asks whose it is, so anybody is told that one has ended; how and when
 * is for its own trainer and for admins.
 */
function toldTo<Outcome extends RecordOutcome | ArriveOutcome | StopOutcome>(
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
  // A session without a student has nobody to travel to, whatever its status says.
  if (session.studentId === null || !startableStatuses.includes(session.status)) {
    return { kind: 'notStartable', status: session.status };
  }
  return { kind: 'admitted', journey: { trainerId: caller.userId, studentId: session.studentId, session } };
}

function idempotency(caller: Caller, key: string | undefined): Idempotency | null {
  return key === undefined ? null : { callerId: caller.userId, key };
}
