const EVERY_MS = 10;
/** A timer is a little late on an idle machine, too. */
const TOLERANCE_MS = 2 * EVERY_MS;

/** How long this process was late to handle what it received, so that its own delays are not the service's. */
export class EventLoopLag {
  readonly #timer: NodeJS.Timeout;
  #tickedAtMs = performance.now();
  #totalMs = 0;

  constructor() {
    this.#timer = setInterval(() => {
      this.#totalMs = this.totalMs();
      this.#tickedAtMs = performance.now();
    }, EVERY_MS);
  }

  /** Since the beginning; the difference of two values is the lag between them. */
  totalMs(): number {
    return this.#totalMs + Math.max(0, performance.now() - this.#tickedAtMs - TOLERANCE_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
