import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';

const MEASURED_EVERY_MS = 1_000;
const RESOLUTION_MS = 10;
/** What a request waits for its turn, at the median of a second; below it there is room for what comes unevenly. */
const BUSY_FROM_MS = 50;
const BUSIEST_MS = 250;
const LONGEST_STRETCH = 3;
/** Phones come back slowly, or they would all be there again at once. */
const EASES_BY = 0.1;

/**
 * How much too much the process has to do: 1 while there is room, up to 3 when requests queue up in it. Phones are asked
 * to come so much later, which is better for them than a refusal. By the delay of the event loop and not by its load:
 * a process that is always busy and never late serves everybody in time.
 */
export class Busyness {
  readonly #delays: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #stretch = 1;
  #timer: NodeJS.Timeout | undefined;

  get stretch(): number {
    return this.#stretch;
  }

  start(): void {
    this.#delays.enable();
    this.#timer = setInterval(() => {
      // It counts the time between two looks, so an idle loop has the resolution.
      this.measured(this.#delays.percentile(50) / 1e6 - RESOLUTION_MS);
      this.#delays.reset();
    }, MEASURED_EVERY_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#delays.disable();
  }

  /** delayMs: the event loop's median delay in the last second. */
  measured(delayMs: number): void {
    const over = Math.min(1, Math.max(0, delayMs - BUSY_FROM_MS) / (BUSIEST_MS - BUSY_FROM_MS));
    const wanted = 1 + over * (LONGEST_STRETCH - 1);
    this.#stretch = Math.max(wanted, this.#stretch - EASES_BY, 1);
  }
}
