import type { TrainerProblem } from '../contract/requests.js';
import type { ActiveState, Journey, LiveLocation } from '../journeys/journey.js';
import type { ChangeListener, JourneyChange, JourneyChanges } from '../journeys/ports.js';
import type { KnownActive } from './live-state.js';
import { activeVersion } from './live-view.js';

/** A student polls again at once, so a journey stays subscribed for a while after its last poll. */
const LINGER_MS = 5_000;
const CLEANUP_INTERVAL_MS = 1_000;
/** A read and a publish overtake each other by less: a position older by more shows that Redis' clock has stepped back. */
const CLOCK_STEP_MS = 3_000;

/** A poll that waits for a change; called at most once for each time it was added. */
export interface Waiter {
  onChange(): void;
}

/** One session's journey, cached and kept current by its changes, with the polls that wait for the next one. */
export class WatchedJourney implements ChangeListener {
  readonly sessionId: string;
  readonly waiters = new Set<Waiter>();
  /** Resolves once no change can be missed; null after that. */
  subscribed: Promise<void> | null = null;
  /** Polls in flight, waiting or not. */
  polls = 0;
  idleSinceMs = 0;
  /** No further change arrives. */
  isBroken = false;
  /** Counts starts, ends and problems, so that a read can tell whether one overtook it. */
  generation = 0;
  readonly #monotonicMs: () => number;
  #journey: Journey | null = null;
  #version = '';
  /** May be of a journey that has not been read yet. */
  #location: LiveLocation | null = null;
  #problem: TrainerProblem | null = null;
  /** Redis' clock less the monotonic one. */
  #clockOffsetMs = NaN;

  constructor(sessionId: string, monotonicMs: () => number) {
    this.sessionId = sessionId;
    this.#monotonicMs = monotonicMs;
  }

  /** Null: unknown, or not active. */
  get active(): KnownActive | null {
    if (this.#journey === null) return null;
    const nowMs = Math.round(this.#monotonicMs() + this.#clockOffsetMs);
    return {
      kind: 'active',
      journey: this.#journey,
      location: this.#location,
      problem: this.#problem,
      nowMs,
      version: this.#version,
    };
  }

  /** Caches what a read found that no start or end has overtaken. */
  remember(found: ActiveState | null): void {
    this.#journey = found?.journey ?? null;
    if (found === null) return;
    const { location, problem, nowMs } = found;
    // A position that was published during the read, even in its millisecond, is newer than what the read found.
    const wasFoundMs = location?.timestampMs ?? nowMs - 1;
    if (this.#location === null || !isOlder(wasFoundMs, this.#location)) {
      this.#problem = problem;
      this.#moveTo(location, nowMs);
    } else this.#setVersion();
  }

  changed(change: JourneyChange): void {
    switch (change.kind) {
      case 'position': {
        const { location } = change;
        const isOld = this.#location !== null && isOlder(location.timestampMs, this.#location);
        if (isOld) break;
        this.#problem = null;
        this.#moveTo(location, location.timestampMs);
        break;
      }
      case 'lifecycle':
        this.generation++;
        this.#journey = null;
        this.#location = null;
        this.#problem = null;
        break;
      case 'broken':
        this.isBroken = true;
    }
    const waiters = [...this.waiters];
    this.waiters.clear();
    for (const waiter of waiters) waiter.onChange();
  }

  #moveTo(location: LiveLocation | null, atMs: number): void {
    this.#location = location;
    this.#clockOffsetMs = atMs - this.#monotonicMs();
    this.#setVersion();
  }

  #setVersion(): void {
    const [journey, location, problem] = [this.#journey, this.#location, this.#problem];
    if (journey !== null) this.#version = activeVersion({ journey, location, problem });
  }
}

function isOlder(timestampMs: number, { timestampMs: knownMs }: LiveLocation): boolean {
  return timestampMs < knownMs && timestampMs > knownMs - CLOCK_STEP_MS;
}

/** The journeys for which polls of this process wait. */
export class JourneyFeed {
  readonly #changes: JourneyChanges;
  readonly #monotonicMs: () => number;
  readonly #watched = new Map<string, WatchedJourney>();
  #cleanup: NodeJS.Timeout | undefined;

  /** monotonicMs: a clock that runs at the pace of Redis' clock. */
  constructor(changes: JourneyChanges, monotonicMs: () => number) {
    this.#changes = changes;
    this.#monotonicMs = monotonicMs;
  }

  get isUp(): boolean {
    return this.#changes.isUp;
  }

  /** Every `join` must be paired with a `leave`. */
  join(sessionId: string): WatchedJourney {
    const known = this.#watched.get(sessionId);
    const watched = known === undefined || known.isBroken ? this.#subscribe(sessionId) : known;
    watched.polls++;
    return watched;
  }

  leave(watched: WatchedJourney): void {
    if (--watched.polls === 0) watched.idleSinceMs = performance.now();
  }

  #subscribe(sessionId: string): WatchedJourney {
    const watched = new WatchedJourney(sessionId, this.#monotonicMs);
    this.#watched.set(sessionId, watched);
    watched.subscribed = this.#changes.follow(sessionId, watched).then(
      () => {
        watched.subscribed = null;
      },
      (error: unknown) => {
        if (this.#watched.get(sessionId) === watched) this.#watched.delete(sessionId);
        throw error;
      },
    );
    this.#cleanup ??= setInterval(() => {
      this.#unsubscribeIdle();
    }, CLEANUP_INTERVAL_MS).unref();
    return watched;
  }

  #unsubscribeIdle(): void {
    const idleBeforeMs = performance.now() - LINGER_MS;
    const idle = [...this.#watched.values()].filter(
      ({ polls, idleSinceMs }) => polls === 0 && idleSinceMs < idleBeforeMs,
    );
    for (const { sessionId } of idle) this.#watched.delete(sessionId);
    if (idle.length > 0) this.#changes.unfollow(idle.map(({ sessionId }) => sessionId));
    if (this.#watched.size > 0) return;
    clearInterval(this.#cleanup);
    this.#cleanup = undefined;
  }
}
