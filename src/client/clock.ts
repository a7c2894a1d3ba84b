/** Time as the SDK needs it: a clock that never jumps, and alarms. */
export interface Clock {
  /** Milliseconds; only differences mean something. The wall clock won't do: users and networks set it. */
  nowMs(): number;
  /** Calls back once, after so many milliseconds; the function returned cancels that. */
  after(ms: number, callback: () => void): () => void;
}

/** Timers take no more: a longer one would ring at once. */
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
