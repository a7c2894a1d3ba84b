import type { Signal } from './followed-journeys.js';

/** A poll that may be answered later, when something has changed. */
export interface Wait {
  seconds: number;
  /** Whether the caller has this version already. */
  isKnown: (version: string) => boolean;
  /** Calls back when the caller has gone. */
  whenGone: (stop: () => void) => void;
}

/** Whether the caller is still there. */
export class Patience {
  isGone = false;
  onGone: ((signal: Signal) => void) | undefined;

  constructor(wait: Wait) {
    wait.whenGone(() => {
      this.isGone = true;
      this.onGone?.('released');
    });
  }
}
