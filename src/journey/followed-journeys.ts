import type { Journey, LiveLocation } from './journey.js';
import type { JourneyChange, JourneyChanges } from './ports.js';
import type { HeldPoll, Signal, WaitingPlace } from './waiting-caller.js';

/** A student asks again at once, so a journey is followed on for a while after its last watcher has left. */
const LINGER_MS = 5_000;
const HOUSEKEEPING_EVERY_MS = 1_000;

/** A journey that goes on, as it was at a time. */
export class ActiveState {
  readonly #monotonicMs: () => number;
  readonly #learntAtMs: number;

  /** atMs: milliseconds since the epoch by Redis' clock. monotonicMs: what runs on from there at the same pace. */
  constructor(
    readonly journey: Journey,
    readonly location: LiveLocation | null,
    readonly atMs: number,
    monotonicMs: () => number,
  ) {
    this.#monotonicMs = monotonicMs;
    this.#learntAtMs = monotonicMs();
  }

  /** What Redis' clock says now, to a few milliseconds. */
  get nowMs(): number {
    return this.atMs + Math.round(this.#monotonicMs() - this.#learntAtMs);
  }

  /** The same journey with a position that has just been told. */
  at(location: LiveLocation): ActiveState {
    return new ActiveState(this.journey, location, location.timestampMs, this.#monotonicMs);
  }
}

/**
 * Who waits for one journey: nearly always its student alone. A set would make a table for each of a student's waits
 * (V8 shrinks a set that is emptied), 240 bytes that are collected only with all of the heap.
 */
class Watchers implements WaitingPlace {
  #first: HeldPoll | null = null;
  #others: Set<HeldPoll> | null = null;

  add(poll: HeldPoll): void {
    if (this.#first === null) this.#first = poll;
    else (this.#others ??= new Set()).add(poll);
  }

  delete(poll: HeldPoll): void {
    if (this.#first === poll) this.#first = null;
    else this.#others?.delete(poll);
  }

  wakeAll(signal: Signal): void {
    // Whoever is told waits no more, so both change meanwhile.
    const others = [...(this.#others ?? [])];
    this.#first?.wake(signal);
    for (const poll of others) poll.wake(signal);
  }
}

/**
 * One session's journey, kept up to date by what is told of it, so that a student who asks again and again needs no look
 * into Redis each time.
 */
export class FollowedJourney {
  /** Where there is a promise: nothing is told before it is fulfilled. */
  confirmed: Promise<void> | null = null;
  watchers = 0;
  /** By performance.now(). */
  leftAtMs = 0;
  /** Nothing is told any more. */
  isBroken = false;
  /** Who is told of what is applied. */
  readonly waiting = new Watchers();
  #active: ActiveState | null = null;
  #told: LiveLocation | null = null;
  #lifecycles = 0;

  /** What is known without asking; null: ask. */
  get active(): ActiveState | null {
    return this.#active;
  }

  /** Counts starts and ends, so that a look can tell whether one came meanwhile. */
  get lifecycles(): number {
    return this.#lifecycles;
  }

  /** Takes what a look has found that no start or end has overtaken. */
  remember(found: ActiveState | null): void {
    this.#active = found;
    // What was told before the look is in what it found, or had gone by then.
    if (this.#told !== null && found !== null && this.#told.timestampMs >= found.atMs)
      this.#moveTo(this.#told);
  }

  apply(change: JourneyChange): void {
    if (change.kind === 'position') {
      this.#told = change.location;
      this.#moveTo(change.location);
    } else {
      this.#lifecycles++;
      this.#active = null;
      this.#told = null;
    }
    this.isBroken = change.kind === 'broken';
    this.waiting.wakeAll(this.isBroken ? 'broken' : 'changed');
  }

  #moveTo(location: LiveLocation): void {
    if (this.#active === null) return;
    if (location.timestampMs <= (this.#active.location?.timestampMs ?? -Infinity)) return;
    this.#active = this.#active.at(location);
  }
}

/** The journeys that somebody in this process watches with patience. */
export class FollowedJourneys {
  readonly #changes: JourneyChanges;
  readonly #followed = new Map<string, FollowedJourney>();
  #housekeeping: NodeJS.Timeout | undefined;

  constructor(changes: JourneyChanges) {
    this.#changes = changes;
  }

  get isUp(): boolean {
    return this.#changes.isUp;
  }

  /** Each call wants its leave. */
  join(sessionId: string): FollowedJourney {
    const followed = this.#followed.get(sessionId) ?? this.#follow(sessionId);
    followed.watchers++;
    return followed;
  }

  leave(followed: FollowedJourney): void {
    if (--followed.watchers === 0) followed.leftAtMs = performance.now();
  }

  #follow(sessionId: string): FollowedJourney {
    const followed = new FollowedJourney();
    this.#followed.set(sessionId, followed);
    const forget = () => {
      if (this.#followed.get(sessionId) === followed) this.#followed.delete(sessionId);
    };
    const confirmed = this.#changes.follow(sessionId, (change) => {
      if (change.kind === 'broken') forget();
      followed.apply(change);
    });
    followed.confirmed = confirmed.then(
      () => {
        followed.confirmed = null;
      },
      (error: unknown) => {
        forget();
        throw error;
      },
    );
    this.#housekeeping ??= setInterval(() => {
      this.#keepHouse();
    }, HOUSEKEEPING_EVERY_MS).unref();
    return followed;
  }

  #keepHouse(): void {
    const leftBeforeMs = performance.now() - LINGER_MS;
    const left: string[] = [];
    for (const [sessionId, { watchers, leftAtMs }] of this.#followed) {
      if (watchers === 0 && leftAtMs < leftBeforeMs) left.push(sessionId);
    }
    for (const sessionId of left) this.#followed.delete(sessionId);
    if (left.length > 0) this.#changes.unfollow(left);
    if (this.#followed.size > 0) return;
    clearInterval(this.#housekeeping);
    this.#housekeeping = undefined;
  }
}
