/** Alarms of the same tenth of a second ring together. */
const TICK_MS = 100;

/**
 * What can be set on a clock. Those that ring together are linked in a circle: in tables, what was added and deleted grew
 * old enough to be collected with the whole heap (1.8 of 29 MB, see RestingRequest).
 */
export abstract class Alarm {
  /** Its neighbours; itself while it is not set. */
  #before: Alarm = this;
  #after: Alarm = this;

  abstract ring(): void;

  takeBack(): void {
    this.#before.#after = this.#after;
    this.#after.#before = this.#before;
    this.#before = this;
    this.#after = this;
  }

  joinBefore(other: Alarm): void {
    this.takeBack();
    this.#before = other.#before;
    this.#after = other;
    other.#before.#after = this;
    other.#before = this;
  }

  protected get next(): Alarm {
    return this.#after;
  }
}

/** Where the circle of those that ring together begins and ends. */
class Tick extends Alarm {
  ring(): void {
    while (this.next !== this) {
      const alarm = this.next;
      alarm.takeBack();
      alarm.ring();
    }
  }
}

/**
 * Many alarms on one timer: a timer of its own for each of 20,000 waiting students would cost more than their waiting.
 * An alarm rings at its time or up to two ticks after it.
 */
export class AlarmClock {
  readonly #ticks = new Map<number, Tick>();
  #timer: NodeJS.Timeout | undefined;
  #rungUpTo = 0;

  set(alarm: Alarm, inMs: number): void {
    if (this.#timer === undefined) this.#start();
    const at = Math.max(this.#rungUpTo, Math.floor((performance.now() + inMs) / TICK_MS)) + 1;
    let tick = this.#ticks.get(at);
    if (tick === undefined) this.#ticks.set(at, (tick = new Tick()));
    alarm.joinBefore(tick);
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
      const due = this.#ticks.get(++this.#rungUpTo);
      this.#ticks.delete(this.#rungUpTo);
      due?.ring();
    }
    if (this.#ticks.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
