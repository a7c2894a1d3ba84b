/** A monotonic clock with timers. */
export interface Clock {
  /** Milliseconds, of which only differences matter; not the wall clock, which users and networks set. */
  nowMs(): number;
  /** Calls back once after that many milliseconds; the returned function cancels it. */
  after(ms: number, callback: () => void): () => void;
}

/** setTimeout fires at once for more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, Math.min(ms, LONGEST_TIMER_MS));
    return () => {
      clearTimeout(timer);
    };
  },
};
