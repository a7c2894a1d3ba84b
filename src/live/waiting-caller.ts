import { Alarm } from './alarm-clock.js';
import type { LiveOutcome } from '../journeys/outcomes.js';

/** What ends a wait: news, nothing to be told any more, the time that was asked for, or the process' or caller's leaving. */
export type Signal = 'changed' | 'broken' | 'timeout' | 'released';

/** A poll that may be answered later, when something has changed. */
export interface Wait {
  readonly seconds: number;
  /** What whenGone was told last, maybe for the wait before it on its connection, which no longer needs it. */
  readonly poll: HeldPoll | null;
  /** Whether the caller has this version already. */
  isKnown(version: string): boolean;
  /** Tells the poll when the caller has gone. */
  whenGone(poll: HeldPoll): void;
  /** There will be nothing to answer before something has changed. */
  rest(): void;
  /** There may be now. */
  resume(): void;
  /** One of these, once, where the poll was held; it may come when the caller has gone. */
  answer(outcome: LiveOutcome): void;
  fail(error: unknown): void;
}

/** Where held polls are found by what there is to tell. */
export interface WaitingPlace {
  add(poll: HeldPoll): unknown;
  delete(poll: HeldPoll): unknown;
}

/**
 * A poll that is held back until its alarm rings or there are news. No function waits for it: the garbage collector copies
 * twice whatever is held, and functions that waited, from Express' to the last, were half of that.
 */
export abstract class HeldPoll extends Alarm {
  /** Whether the caller is no longer there. */
  isGone = false;
  #news: WaitingPlace | null = null;

  /** Goes on with it; never throws. */
  protected abstract woken(signal: Signal): void;

  /** Until the first signal: what there is to tell, or its alarm, which is set on a clock beside this. */
  sleepIn(news: WaitingPlace): void {
    this.#news = news;
    news.add(this);
  }

  wake(signal: Signal): void {
    if (this.#news === null) return;
    this.takeBack();
    this.#news.delete(this);
    this.#news = null;
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
