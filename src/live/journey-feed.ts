import type { ActiveState, Journey, LiveLocation } from '../journeys/journey.js';
import { KeptPosition } from './kept-position.js';
import type { ChangeListener, JourneyChange, JourneyChanges } from '../journeys/ports.js';
import type { HeldPoll, Signal, WaitingPlace } from './waiting-caller.js';

/** A student asks again at once, so a journey is followed on for a while after its last watcher has left. */
const LINGER_MS = 5_000;
const HOUSEKEEPING_EVERY_MS = 1_000;

/**
 * One session's journey, kept up to date by what is told of it, so that a student who asks again and again needs no look
 * into Redis each time. It is also where those who wait for news of it are found.
 */
export class FollowedJourney implements ChangeListener, WaitingPlace {
  readonly sessionId: string;
  /** Where there is a promise: nothing is told before it is fulfilled. */
  confirmed: Promise<void> | null = null;
  watchers = 0;
  /** By performance.now(), in whole milliseconds. */
  leftAtMs = 0;
  /** Nothing is told any more. */
  isBroken = false;
  /** Nearly always the student alone waits; a set would make a table for each of a student's waits. */
  #first: HeldPoll | null = null;
  #others: Set<HeldPoll> | null = null;
  readonly #monotonicMs: () => number;
  #journey: Journey | null = null;
  /** Of this journey; or what was told of one that has not been looked at yet. */
  readonly #position = new KeptPosition();
  /** How far Redis' clock is ahead of the monotonic one. */
  #aheadMs = NaN;
  #lifecycles = 0;

  /** monotonicMs: runs on at the pace of Redis' clock. */
  constructor(sessionId: string, monotonicMs: () => number) {
    this.sessionId = flat(sessionId);
    this.#monotonicMs = monotonicMs;
  }

  /** What is known without asking; null: ask. */
  get active(): ActiveState | null {
    if (this.#journey === null) return null;
    return {
      journey: this.#journey,
      location: this.#position.read(),
      nowMs: Math.round(this.#monotonicMs() + this.#aheadMs),
    };
  }

  /** Counts starts and ends, so that a look can tell whether one came meanwhile. */
  get lifecycles(): number {
    return this.#lifecycles;
  }

  /** Takes what a look has found that no start or end has overtaken. */
  remember(found: ActiveState | null): void {
    if (found === null) {
      this.#journey = null;
      return;
    }
    const { journey, location, nowMs } = found;
    const { trainerId, studentId } = journey;
    this.#journey = {
      ...journey,
      sessionId: this.sessionId,
      trainerId: flat(trainerId),
      studentId: flat(studentId),
    };
    // What was told meanwhile is newer than what the look found, or was told by the time of the look and is in it.
    const { timestampMs } = this.#position;
    if (timestampMs >= nowMs || (location !== null && timestampMs > location.timestampMs)) return;
    this.#moveTo(location, nowMs);
  }

  changed(change: JourneyChange): void {
    if (change.kind === 'position') {
      const { location } = change;
      if (!(location.timestampMs <= this.#position.timestampMs)) this.#moveTo(location, location.timestampMs);
    } else if (change.kind === 'lifecycle') {
      this.#lifecycles++;
      this.#journey = null;
      this.#position.write(null);
    } else this.isBroken = true;
    this.#wakeAll(this.isBroken ? 'broken' : 'changed');
  }

  add(poll: HeldPoll): void {
    if (this.#first === null) this.#first = poll;
    else (this.#others ??= new Set()).add(poll);
  }

  delete(poll: HeldPoll): void {
    if (this.#first === poll) this.#first = null;
    else this.#others?.delete(poll);
  }

  /** Those who wait now. */
  get waiting(): HeldPoll[] {
    return [...(this.#first === null ? [] : [this.#first]), ...(this.#others ?? [])];
  }

  #moveTo(location: LiveLocation | null, atMs: number): void {
    this.#position.write(location);
    this.#aheadMs = atMs - this.#monotonicMs();
  }

  #wakeAll(signal: Signal): void {
    if (this.#others === null) this.#first?.wake(signal);
    else for (const poll of this.waiting) poll.wake(signal);
  }
}

/** The journeys that somebody in this process watches with patience. */
export class JourneyFeed {
  readonly #changes: JourneyChanges;
  readonly #monotonicMs: () => number;
  readonly #followed = new Map<string, FollowedJourney>();
  #housekeeping: NodeJS.Timeout | undefined;

  constructor(changes: JourneyChanges, monotonicMs: () => number) {
    this.#changes = changes;
    this.#monotonicMs = monotonicMs;
  }

  get isUp(): boolean {
    return this.#changes.isUp;
  }

  /** All polls that wait now. */
  get waiting(): HeldPoll[] {
    return [...this.#followed.values()].flatMap((followed) => followed.waiting);
  }

  /** Each call wants its leave. */
  join(sessionId: string): FollowedJourney {
    const known = this.#followed.get(sessionId);
    const followed = known === undefined || known.isBroken ? this.#follow(sessionId) : known;
    followed.watchers++;
    return followed;
  }

  leave(followed: FollowedJourney): void {
    if (--followed.watchers === 0) followed.leftAtMs = Math.round(performance.now());
  }

  #follow(id: string): FollowedJourney {
    const followed = new FollowedJourney(id, this.#monotonicMs);
    const { sessionId } = followed;
    this.#followed.set(sessionId, followed);
    followed.confirmed = this.#changes.follow(sessionId, followed).then(
      () => {
        followed.confirmed = null;
      },
      (error: unknown) => {
        if (this.#followed.get(sessionId) === followed) this.#followed.delete(sessionId);
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

/** By itself: what was cut out of a text keeps all of that text. */
function flat(text: string): string {
  return Buffer.from(text).toString();
}
