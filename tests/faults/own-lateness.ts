const EVERY_MS = 10;
/** Timers are a little late by themselves. */
const AT_LEAST_MS = 2 * EVERY_MS;

/** For how long this process was late to look at what had come, so that its own slowness is nobody else's. */
export class OwnLateness {
  readonly #timer: NodeJS.Timeout;
  #tickedAtMs = performance.now();
  #totalMs = 0;

  constructor() {
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      this.#totalMs += Math.max(0, nowMs - this.#tickedAtMs - AT_LEAST_MS);
      this.#tickedAtMs = nowMs;
    }, EVERY_MS);
  }

  /** Since the beginning; the difference of two is what was late between them. */
  totalMs(): number {
    return this.#totalMs + Math.max(0, performance.now() - this.#tickedAtMs - AT_LEAST_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
