/** Something to be done at a time; in the wheel at most once. */
export class Timer {
  dueMs = -1;
  next: Timer | undefined;
  previous: Timer | undefined;

  /** @param fire is told when it was due, which is a little before the time when it is called */
  constructor(readonly fire: (dueMs: number) => void) {}
}

/** Covers 16 s; what is due later goes round again. */
const slots = 2 ** 14;

/**
 * Calls tens of thousands of timers at their times with one timer of Node's. Times are whole milliseconds of
 * performance.now().
 */
export class TimerWheel {
  /** The heads of rings, so that a timer leaves its own without being looked for. */
  readonly #rings = Array.from({ length: slots }, () => ring());
  #turnedToMs: number;
  #ticking: NodeJS.Timeout | undefined;

  constructor(nowMs: number) {
    this.#turnedToMs = Math.floor(nowMs);
  }

  /** At that time, or at the next tick where it is past; a timer that is in the wheel is moved. */
  schedule(timer: Timer, atMs: number): void {
    this.cancel(timer);
    timer.dueMs = Math.max(Math.ceil(atMs), this.#turnedToMs + 1);
    const head = this.#rings[timer.dueMs % slots] ?? ring();
    timer.next = head;
    timer.previous = head.previous;
    if (head.previous) head.previous.next = timer;
    head.previous = timer;
  }

  cancel(timer: Timer): void {
    if (timer.next && timer.previous) {
      timer.next.previous = timer.previous;
      timer.previous.next = timer.next;
    }
    timer.next = timer.previous = undefined;
    timer.dueMs = -1;
  }

  /** Fires everything that is due by then, in order. */
  turnTo(nowMs: number): void {
    while (this.#turnedToMs < Math.floor(nowMs)) {
      this.#turnedToMs += 1;
      const head = this.#rings[this.#turnedToMs % slots];
      // Whatever is scheduled meanwhile is for a later tick, so this list is all there is.
      for (const timer of dueIn(head, this.#turnedToMs)) {
        if (timer.dueMs !== this.#turnedToMs) continue;
        this.cancel(timer);
        timer.fire(this.#turnedToMs);
      }
    }
  }

  run(): void {
    this.#ticking = setTimeout(() => {
      this.run();
      this.turnTo(performance.now());
    }, 1);
  }

  stop(): void {
    clearTimeout(this.#ticking);
    this.#ticking = undefined;
  }
}

function ring(): Timer {
  const head = new Timer(() => undefined);
  head.next = head.previous = head;
  return head;
}

function dueIn(head: Timer | undefined, nowMs: number): Timer[] {
  const due: Timer[] = [];
  for (let timer = head?.next; timer !== undefined && timer !== head; timer = timer.next) {
    if (timer.dueMs === nowMs) due.push(timer);
  }
  return due;
}
