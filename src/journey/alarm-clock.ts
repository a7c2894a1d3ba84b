/** Alarms of the same tenth of a second ring together. */
const TICK_MS = 100;

export interface Alarm {
  ring(): void;
}

/**
 * Many alarms on one timer: a timer of its own for each of 20,000 waiting students would cost more than their waiting.
 * An alarm rings at its time or up to two ticks after it.
 */
export class AlarmClock<Kind extends Alarm> {
  readonly #alarms = new Map<number, Set<Kind>>();
  #timer: NodeJS.Timeout | undefined;
  #rungUpTo = 0;

  /** Those that ring together in so many milliseconds; an alarm is set by its adding and taken back by its deletion. */
  in(inMs: number): Set<Kind> {
    if (this.#timer === undefined) this.#start();
    const tick = Math.max(this.#rungUpTo, Math.floor((performance.now() + inMs) / TICK_MS)) + 1;
    let together = this.#alarms.get(tick);
    if (together === undefined) this.#alarms.set(tick, (together = new Set()));
    return together;
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
      for (const alarm of due ?? []) alarm.ring();
    }
    if (this.#alarms.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
