import { withTimeout } from '../journeys/errors.js';
import { STALE_AFTER_MS, type ActiveState, type Caller, type Session } from '../journeys/journey.js';
import type { JourneyObserver, JourneyStore, LiveReading, SessionLookup } from '../journeys/ports.js';
import type { RateLimiter } from '../journeys/rate-limiter.js';
import type { Cadence } from './cadence.js';
import { mayWatch, type LiveState } from './live-state.js';
import { activeVersion, endedVersion, endedView, inactiveVersion, inactiveView } from './live-view.js';

export interface LiveReaderDependencies {
  store: JourneyStore;
  sessions: SessionLookup;
  /** Limits polls for sessions that do not exist. */
  guesses: RateLimiter;
  observer: JourneyObserver;
  staleEvents: boolean;
  cadence: () => Cadence;
}

/** Reads what a caller may see of a session: from Redis, and without a journey from the session's metadata. */
export class LiveReader {
  readonly #dependencies: LiveReaderDependencies;

  constructor(dependencies: LiveReaderDependencies) {
    this.#dependencies = dependencies;
  }

  /** timeoutMs: for Redis and Postgres together. @throws StateUnavailableError, CorruptStateError */
  async read(caller: Caller, sessionId: string, timeoutMs: number): Promise<LiveState> {
    const deadlineMs = performance.now() + timeoutMs;
    const reading = await this.#dependencies.store.readLive(sessionId);
    switch (reading.kind) {
      case 'active':
        return this.#active(caller, reading);
      case 'ended': {
        this.#dependencies.observer.polled('state');
        const { journey } = reading;
        if (!mayWatch(caller, journey)) return { kind: 'forbidden' };
        return { kind: 'inactive', view: endedView(journey), version: endedVersion(journey) };
      }
      case 'inactive':
        return this.#withoutJourney(caller, sessionId, reading, deadlineMs);
    }
  }

  #active(caller: Caller, { journey, location, problem, nowMs }: ActiveState): LiveState {
    this.#dependencies.observer.polled('state');
    if (!mayWatch(caller, journey)) return { kind: 'forbidden' };
    // A location that has expired is old too; without any, the journey's start counts.
    const ageMs = nowMs - (location?.fixMs ?? journey.startedAtMs);
    if (caller.role === 'student' && this.#dependencies.staleEvents && ageMs > STALE_AFTER_MS) {
      // Never slows or fails the poll.
      this.#dependencies.store.reportStale(journey.sessionId).catch(() => undefined);
    }
    const state = { journey, location, problem };
    return { kind: 'active', ...state, nowMs, version: activeVersion(state) };
  }

  async #withoutJourney(
    caller: Caller,
    sessionId: string,
    { session: cached, knownMissing }: Extract<LiveReading, { kind: 'inactive' }>,
    deadlineMs: number,
  ): Promise<LiveState> {
    const { observer, guesses, cadence } = this.#dependencies;
    const isCached = cached !== null || knownMissing;
    observer.polled(isCached ? 'cache' : 'postgres');
    const retryAfterMs = isCached ? 0 : guesses.retryAfterMs(caller.userId);
    if (retryAfterMs > 0) return { kind: 'rateLimited', retryAfterMs };
    const session = isCached ? cached : await this.#find(sessionId, caller, deadlineMs);
    if (session === null) return { kind: 'sessionNotFound' };
    if (!mayWatch(caller, session)) return { kind: 'forbidden' };
    const { trainerId } = session;
    return {
      kind: 'inactive',
      view: inactiveView(sessionId, trainerId, cadence()),
      version: inactiveVersion(trainerId),
    };
  }

  #find(sessionId: string, { userId }: Caller, deadlineMs: number): Promise<Session | null> {
    const found = this.#dependencies.sessions.find(sessionId, userId);
    return withTimeout(deadlineMs - performance.now(), 'postgres', found);
  }
}
