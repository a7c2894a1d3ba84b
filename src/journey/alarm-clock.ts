/** Alarms of the same tenth of a second ring together. */
const TICK_MS = 100;

/**
 * Many alarms on one timer: a timer of its own for each of 20,000 waiting students would cost more than their waiting.
 * An alarm rings at its time or up to two ticks after it.
 */
export class AlarmClock {
  readonly #alarms = new Map<number, Set<() => void>>();
  #timer: NodeJS.Timeout | undefined;
  #rungUpTo = 0;

  /** Returns how to take it back. */
  set(inMs: number, ring: () => void): () => void {
    if (this.#timer === undefined) this.#start();
    const tick = Math.max(this.#rungUpTo, Math.floor((performance.now() + inMs) / TICK_MS)) + 1;
    const together = this.#alarms.get(tick) ?? new Set();
    this.#alarms.set(tick, together.add(ring));
    return () => together.delete(ring);
  }

  #start(): void {
    this.#rungUpTo = Math.floor(performance.now() / TICK_MS);
    this.#timer = setInterval(() => {
      this.#ringDue();
    }, TICK_MS);
    this.#timer.unref();
  }

  #ringDue(): void {
    const now = Math.floor(performance.now() / TICK_MS);
    while (this.#rungUpTo < now) {
      const due = this.#alarms.get(++this.#rungUpTo);
      this.#alarms.delete(this.#rungUpTo);
      for (const ring of due ?? []) ring();
    }
    if (this.#alarms.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
