import { monitorEventLoopDelay, performance, type EventLoopUtilization } from 'node:perf_hooks';

const MEASURE_EVERY_MS = 1_000;
const RESOLUTION_MS = 10;
/** Event loop utilization at which the interval starts to stretch and is stretched in full; the rest is for bursts. */
const BUSY_FROM = 0.65;
const BUSY_IN_FULL = 0.9;
/** The same for the median delay of the event loop. */
const DELAYED_FROM_MS = 10;
const DELAYED_IN_FULL_MS = 60;
const MAX_STRETCH = 3;
/** Weight of the latest second: one long pause barely counts. */
const SMOOTHING = 0.1;
/** Largest decrease of the load per second. A faster one would make all phones report at the same time. */
const MAX_DECREASE = 0.01;

/**
 * How far phones should stretch their interval because this process is overloaded: 1 (not at all) to 3. Utilization
 * shows overload before requests are late; the delay shows bursts that keep requests late although there is capacity.
 */
export class LoadMonitor {
  readonly #delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #lastUtilization: EventLoopUtilization | undefined;
  /** 0 to 1 */
  #load = 0;
  #timer: NodeJS.Timeout | undefined;

  get stretch(): number {
    return 1 + this.#load * (MAX_STRETCH - 1);
  }

  start(): void {
    this.#delays.enable();
    this.#lastUtilization = performance.eventLoopUtilization();
    this.#timer = setInterval(() => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, this.#lastUtilization);
      this.#lastUtilization = now;
      // The histogram records the time between two samples, so an idle loop shows the resolution.
      this.update(utilization, this.#delays.percentile(50) / 1e6 - RESOLUTION_MS);
      this.#delays.reset();
    }, MEASURE_EVERY_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#delays.disable();
  }

  /** For each second: the event loop's utilization (0 to 1) and its median delay. */
  update(utilization: number, delayMs: number): void {
    const load = Math.max(
      fraction(utilization, BUSY_FROM, BUSY_IN_FULL),
      fraction(delayMs, DELAYED_FROM_MS, DELAYED_IN_FULL_MS),
    );
    this.#load += Math.max(SMOOTHING * (load - this.#load), -MAX_DECREASE);
  }
}

/** Where the value lies between the two limits, 0 to 1. */
function fraction(value: number, from: number, full: number): number {
  return Math.min(1, Math.max(0, (value - from) / (full - from)));
}
