import type { Clock } from './clock.js';

/** Fixes of a phone whose clock is wrong are all late by the same time, give or take this. */
const SAME_MS = 2_000;
/** A smaller error of the clock does not matter. */
const CLOCK_ERROR_MS = 5_000;
const FIXES_IN_A_ROW = 3;

/**
 * Dates fixes by their timestamps, so that a cached fix is not taken for a new one. A clock that is wrong is recognised
 * by three fixes in a row that are late by the same time.
 */
export class FixAges {
  readonly #clock: Clock;
  #clockErrorMs = 0;
  #last = { lateMs: NaN, timestamp: NaN };
  #inARow = 1;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds; 0 for a fix without a timestamp, and for one from the future. */
  ageMs(timestamp: number | undefined): number {
    if (typeof timestamp !== 'number' || !Number.isFinite(timestamp)) return 0;
    const lateMs = this.#clock.wallMs() - timestamp;
    const { lateMs: before, timestamp: previous } = this.#last;
    this.#inARow = Math.abs(lateMs - before) < SAME_MS && timestamp > previous ? this.#inARow + 1 : 1;
    this.#last = { lateMs, timestamp };
    if (this.#inARow >= FIXES_IN_A_ROW && Math.abs(lateMs - this.#clockErrorMs) > CLOCK_ERROR_MS) {
      this.#clockErrorMs = lateMs;
    }
    return Math.max(0, lateMs - this.#clockErrorMs);
  }
}
