import type { Caller } from '../journeys/journey.js';
import type { JourneyChanges } from '../journeys/ports.js';
import type { RateLimiter } from '../journeys/rate-limiter.js';
import { nextPollMs, type Cadence } from './cadence.js';
import { JourneyFeed } from './journey-feed.js';
import type { LiveReader } from './live-reader.js';
import type { LiveOutcome, LiveState } from './live-state.js';
import { activeView, fixAgeMs } from './live-view.js';
import type { WatchMarks } from './watch-marks.js';
import { WaitingPoll, type LivePoll, type Poller, type PollHost } from './waiting-poll.js';

/** Bounds the memory; beyond it a poll is answered at once. */
const MAX_WAITING = 20_000;
/** A student has a phone, a tablet and connections that broke unnoticed. */
const MAX_WAITING_PER_CALLER = 100;

export interface LiveServiceDependencies {
  reader: LiveReader;
  changes: JourneyChanges;
  marks: Pick<WatchMarks, 'mark'>;
  /** Limits polls for sessions that do not exist. */
  guesses: RateLimiter;
  cadence: () => Cadence;
  /** A clock that runs at the pace of Redis' clock: cached positions age by it. */
  monotonicMs: () => number;
}

/** Where the trainers are, for those who may see it: now, or as soon as it changes. */
export class LiveService {
  readonly #dependencies: LiveServiceDependencies;
  readonly #feed: JourneyFeed;
  readonly #host: PollHost;
  readonly #polls = new Set<WaitingPoll>();
  readonly #pollsByCaller = new Map<string, number>();
  #isReleased = false;

  constructor(dependencies: LiveServiceDependencies) {
    this.#dependencies = dependencies;
    this.#feed = new JourneyFeed(dependencies.changes, dependencies.monotonicMs);
    this.#host = {
      reader: dependencies.reader,
      outcomeOf: (poll, state, waited) => this.#outcomeOf(poll, state, waited),
      onClosed: (poll) => {
        this.#forget(poll);
      },
    };
  }

  /** Polls that wait for a change at present. */
  get waiting(): number {
    let waiting = 0;
    for (const poll of this.#polls) if (poll.isWaiting) waiting++;
    return waiting;
  }

  /** Answers all waiting polls at once; no poll waits any more. */
  releaseAll(): void {
    this.#isReleased = true;
    for (const poll of [...this.#polls]) poll.release();
  }

  /** @throws StateUnavailableError, CorruptStateError */
  async read(caller: Caller, sessionId: string, timeoutMs: number): Promise<LiveOutcome> {
    const state = await this.#dependencies.reader.read(caller, sessionId, timeoutMs);
    return this.#outcomeOf({ caller, sessionId }, state, false);
  }

  /** Answers as soon as the state is another than the caller knows, or when the wait is over. Returns a poll that may wait. */
  wait(poll: LivePoll): WaitingPoll | null {
    const { caller, sessionId, timeoutMs } = poll;
    if (!this.#mayWait(caller)) {
      this.read(caller, sessionId, timeoutMs).then(
        (outcome) => {
          poll.answer(outcome);
        },
        (error: unknown) => {
          poll.fail(error);
        },
      );
      return null;
    }
    const waiting = new WaitingPoll(poll, this.#feed.join(sessionId), this.#host);
    this.#polls.add(waiting);
    this.#countPoll(caller, 1);
    waiting.start();
    return waiting;
  }

  #forget(waiting: WaitingPoll): void {
    this.#polls.delete(waiting);
    this.#countPoll(waiting.poll.caller, -1);
    this.#feed.leave(waiting.watched);
  }

  #markWatched(sessionId: string, { kind }: LiveState): void {
    if (kind === 'active') this.#dependencies.marks.mark(sessionId, 'watched');
    if (kind === 'forbidden') this.#dependencies.marks.mark(sessionId, 'refused');
  }

  #mayWait({ userId, role }: Caller): boolean {
    if (this.#isReleased || !this.#feed.isUp || this.#polls.size >= MAX_WAITING) return false;
    // Each watched session is a subscription, so nobody who guesses ids gets one.
    if (this.#dependencies.guesses.retryAfterMs(userId) > 0) return false;
    // An admin's screen may show all journeys.
    return role === 'admin' || (this.#pollsByCaller.get(userId) ?? 0) < MAX_WAITING_PER_CALLER;
  }

  #countPoll({ userId }: Caller, by: 1 | -1): void {
    const polls = (this.#pollsByCaller.get(userId) ?? 0) + by;
    if (polls === 0) this.#pollsByCaller.delete(userId);
    else this.#pollsByCaller.set(userId, polls);
  }

  #outcomeOf({ caller, sessionId }: Poller, state: LiveState, waited: boolean): LiveOutcome {
    if (caller.role === 'student') this.#markWatched(sessionId, state);
    switch (state.kind) {
      case 'active': {
        const { location, nowMs, version } = state;
        const cadence = this.#dependencies.cadence();
        return {
          kind: 'live',
          view: () => activeView(state, cadence),
          nextPollMs: nextPollMs(location, nowMs, cadence),
          ageMs: location && fixAgeMs(location, nowMs),
          version,
          waited,
        };
      }
      case 'inactive': {
        const { view, version } = state;
        return { kind: 'live', view: () => view, nextPollMs: view.nextPollMs, ageMs: null, version, waited };
      }
      case 'sessionNotFound':
      case 'rateLimited':
      case 'forbidden':
        return state;
    }
  }
}
