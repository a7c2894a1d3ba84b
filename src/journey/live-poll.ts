import type { ActiveState, FollowedJourney } from './followed-journeys.js';
import type { Caller } from './journey.js';
import type { LiveOutcome } from './outcomes.js';
import { HeldPoll, type Signal, type Wait } from './waiting-caller.js';

/** What a look has found: an active journey, or what there is to say instead. */
export type Found = { active: ActiveState } | { active: null; outcome: LiveOutcome };

/** A poll for news, with all that it needs to be answered. */
export class LivePoll extends HeldPoll {
  readonly endsAtMs: number;
  /** Set before it is held: what it is answered with where it is sent away. */
  found!: Found;

  constructor(
    readonly caller: Caller,
    readonly sessionId: string,
    /** For each look at the state. */
    readonly withinMs: number,
    readonly wait: Wait,
    readonly followed: FollowedJourney,
    readonly goOn: (poll: LivePoll, signal: Signal) => void,
  ) {
    super();
    this.endsAtMs = performance.now() + wait.seconds * 1000;
    wait.whenGone(this);
  }

  protected override woken(signal: Signal): void {
    this.goOn(this, signal);
  }
}
