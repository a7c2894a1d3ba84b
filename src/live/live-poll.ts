import type { FollowedJourney } from './journey-feed.js';
import type { ActiveState, Caller } from '../journeys/journey.js';
import type { LiveOutcome } from '../journeys/outcomes.js';
import { HeldPoll, type Signal, type Wait } from './waiting-caller.js';

/** What a look has found: an active journey, or what there is to say instead. */
export type Found = { active: ActiveState } | { active: null; outcome: LiveOutcome };

type GoOn = (poll: LivePoll, signal: Signal) => void;

/**
 * A poll for news, with all that it needs to be answered. One serves the waits of a connection that are held one after
 * the other: what was held for seconds is collected only together with the whole heap (3.6 of 29 MB, see RestingRequest).
 */
export class LivePoll extends HeldPoll {
  caller: Caller;
  followed: FollowedJourney;
  /** For each look at the state; both in whole milliseconds: V8 makes an object of each other number. */
  withinMs = 0;
  /** By performance.now(). */
  endsAtMs = 0;
  /** What it is answered with where it is sent away; null: with the journey that it follows. */
  instead: LiveOutcome | null = null;

  private constructor(
    caller: Caller,
    readonly wait: Wait,
    followed: FollowedJourney,
    readonly goOn: GoOn,
  ) {
    super();
    this.caller = caller;
    this.followed = followed;
  }

  /** The wait's own, at its beginning. */
  static of(caller: Caller, withinMs: number, wait: Wait, followed: FollowedJourney, goOn: GoOn): LivePoll {
    const poll = wait.poll instanceof LivePoll ? wait.poll : new LivePoll(caller, wait, followed, goOn);
    poll.caller = caller;
    poll.followed = followed;
    poll.withinMs = Math.round(withinMs);
    poll.endsAtMs = Math.round(performance.now() + wait.seconds * 1000);
    poll.instead = null;
    poll.isGone = false;
    wait.whenGone(poll);
    return poll;
  }

  protected override woken(signal: Signal): void {
    this.wait.resume();
    this.goOn(this, signal);
  }
}
