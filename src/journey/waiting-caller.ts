import type { Alarm } from './alarm-clock.js';

/** What ends a wait: news, nothing to be told any more, the time that was asked for, or the process' or caller's leaving. */
export type Signal = 'changed' | 'broken' | 'timeout' | 'released';

/** A poll that may be answered later, when something has changed. */
export interface Wait {
  seconds: number;
  /** Whether the caller has this version already. */
  isKnown: (version: string) => boolean;
  /** Calls back when the caller has gone. */
  whenGone: (stop: () => void) => void;
}

/**
 * A poll that is held back, in all the places where something may end its wait. As one object, for 20,000 of them are
 * held, and the garbage collector copies each twice before it is answered.
 */
export class HeldPoll implements Alarm {
  /** Whether the caller is no longer there. */
  isGone = false;
  #places: readonly Set<HeldPoll>[] = [];
  #resolve: ((signal: Signal) => void) | undefined;

  constructor(wait: Wait) {
    wait.whenGone(() => {
      this.isGone = true;
      this.wake('released');
    });
  }

  /** Waits in these places for the first signal. */
  sleepIn(places: readonly Set<HeldPoll>[]): Promise<Signal> {
    this.#places = places;
    for (const place of places) place.add(this);
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  wake(signal: Signal): void {
    for (const place of this.#places) place.delete(this);
    this.#places = [];
    this.#resolve?.(signal);
  }

  ring(): void {
    this.wake('timeout');
  }
}
