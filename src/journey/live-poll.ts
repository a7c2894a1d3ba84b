import type { FollowedJourney } from './followed-journeys.js';
import type { ActiveState, Caller } from './journey.js';
import type { LiveOutcome } from './outcomes.js';
import { HeldPoll, type Signal, type Wait } from './waiting-caller.js';

/** What a look has found: an active journey, or what there is to say instead. */
export type Found = { active: ActiveState } | { active: null; outcome: LiveOutcome };

/** A poll for news, with all that it needs to be answered. */
export class LivePoll extends HeldPoll {
  /** By performance.now(), in whole milliseconds: V8 makes an object of each other number. */
  readonly endsAtMs: number;
  readonly withinMs: number;
  /** What it is answered with where it is sent away; null: with the journey that it follows. */
  instead: LiveOutcome | null = null;

  /** withinMs: for each look at the state. */
  constructor(
    readonly caller: Caller,
    withinMs: number,
    readonly wait: Wait,
    readonly followed: FollowedJourney,
    readonly goOn: (poll: LivePoll, signal: Signal) => void,
  ) {
    super();
    this.withinMs = Math.round(withinMs);
    this.endsAtMs = Math.round(performance.now() + wait.seconds * 1000);
    wait.whenGone(this);
  }

  protected override woken(signal: Signal): void {
    this.wait.resume();
    this.goOn(this, signal);
  }
}
