import type { Alarm } from './alarm-clock.js';
import type { LiveOutcome } from './outcomes.js';

/** What ends a wait: news, nothing to be told any more, the time that was asked for, or the process' or caller's leaving. */
export type Signal = 'changed' | 'broken' | 'timeout' | 'released';

/** A poll that may be answered later, when something has changed. */
export interface Wait {
  readonly seconds: number;
  /** Whether the caller has this version already. */
  isKnown(version: string): boolean;
  /** Tells the poll when the caller has gone. */
  whenGone(poll: HeldPoll): void;
  /** One of these, once, where the poll was held; it may come when the caller has gone. */
  answer(outcome: LiveOutcome): void;
  fail(error: unknown): void;
}

/** Where held polls are found by what ends their wait. */
export interface WaitingPlace {
  add(poll: HeldPoll): unknown;
  delete(poll: HeldPoll): unknown;
}

/**
 * A poll that is held back, in all the places where something may end its wait. No function waits for it: the garbage
 * collector copies twice whatever is held, and functions that waited, from Express' to the last, were half of that.
 */
export abstract class HeldPoll implements Alarm {
  /** Whether the caller is no longer there. */
  isGone = false;
  #places: readonly WaitingPlace[] = [];

  /** Goes on with it; never throws. */
  protected abstract woken(signal: Signal): void;

  /** Waits in these places for the first signal. */
  sleepIn(places: readonly WaitingPlace[]): void {
    this.#places = places;
    for (const place of places) place.add(this);
  }

  wake(signal: Signal): void {
    const places = this.#places;
    if (places.length === 0) return;
    this.#places = [];
    for (const place of places) place.delete(this);
    this.woken(signal);
  }

  ring(): void {
    this.wake('timeout');
  }

  /** The caller has gone. */
  leave(): void {
    this.isGone = true;
    this.wake('released');
  }
}
