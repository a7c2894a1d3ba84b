/** The time and timers. */
export interface Clock {
  /** Milliseconds by a clock that nobody sets; only differences matter. */
  nowMs(): number;
  /** The phone's own time in milliseconds since 1970. Users and networks set it, so it only dates positions. */
  wallMs(): number;
  /** Calls back once after that many milliseconds; the returned function cancels it. */
  after(ms: number, callback: () => void): () => void;
}

/** setTimeout fires at once for more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** The two clocks drift apart by less. */
const SHORTEST_SLEEP_MS = 1_000;
/** As long as a journey; if the wall clock advances by more, it was set. */
const LONGEST_SLEEP_MS = 3_600_000;

/** A monotonic clock that includes the time for which the phone slept, during which performance.now stands still. */
export function clockWithSleep(monotonicMs: () => number, wallMs: () => number): () => number {
  let sleptMs = 0;
  let aheadMs = wallMs() - monotonicMs();
  return () => {
    const nowAheadMs = wallMs() - monotonicMs();
    const gapMs = nowAheadMs - aheadMs;
    if (gapMs > SHORTEST_SLEEP_MS && gapMs <= LONGEST_SLEEP_MS) sleptMs += gapMs;
    aheadMs = nowAheadMs;
    return monotonicMs() + sleptMs;
  };
}

export const systemClock: Clock = {
  nowMs: clockWithSleep(
    () => performance.now(),
    () => Date.now(),
  ),
  wallMs: () => Date.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, Math.min(ms, LONGEST_TIMER_MS));
    return () => {
      clearTimeout(timer);
    };
  },
};
