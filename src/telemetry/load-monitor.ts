import { monitorEventLoopDelay, performance, type EventLoopUtilization } from 'node:perf_hooks';

const MEASURED_EVERY_MS = 1_000;
const RESOLUTION_MS = 10;
/**
 * The share of its time that a process may be at work; what is left is for what comes unevenly, and for collections. The
 * more it is at work, the longer what a collection held up takes to be made good: with 0.7 and 1, 20,000 journeys with
 * waiting students took 77 % of a core, and p99 of updates was 1.2 to 1.7 s; with these, 67 to 71 %, and 0.1 to 0.3 s.
 */
const BUSY_FROM = 0.65;
const BUSY_IN_FULL = 0.9;
/** What a request waits for its turn, at the median of a second. */
const LATE_FROM_MS = 10;
const LATEST_MS = 60;
const LONGEST_STRETCH = 3;
/** The share of a second in what is followed: one long pause puts nobody off. */
const FOLLOWS_BY = 0.1;
/**
 * A second; twice that of the stretch. While it falls, whoever asks later is told less, and phones come closer together:
 * of an interval of 5 s by a tenth. Where the stretch fell by 0.2 a second, all of them would come at once.
 */
const EASES_BY = 0.01;

/**
 * How much too much the process has to do: 1 while there is room, up to 3 when there is none. Phones are asked to come so
 * much later, which is better for them than to wait or to be refused. By the share of its time that the process is at
 * work, because requests are late only when no room is left at all; and by how late they are, because requests that have
 * bunched up are late where there is room, and stay so until fewer come.
 */
export class LoadMonitor {
  readonly #delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #before: EventLoopUtilization | undefined;
  #over = 0;
  #timer: NodeJS.Timeout | undefined;

  get stretch(): number {
    return 1 + this.#over * (LONGEST_STRETCH - 1);
  }

  start(): void {
    this.#delays.enable();
    this.#before = performance.eventLoopUtilization();
    this.#timer = setInterval(() => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, this.#before);
      this.#before = now;
      // It counts the time between two looks, so an idle loop has the resolution.
      this.measured(utilization, this.#delays.percentile(50) / 1e6 - RESOLUTION_MS);
      this.#delays.reset();
    }, MEASURED_EVERY_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#delays.disable();
  }

  /** Of the last second; utilization: the share of it that the event loop was at work; delayMs: the loop's median delay. */
  measured(utilization: number, delayMs: number): void {
    const byWork = share(utilization, BUSY_FROM, BUSY_IN_FULL);
    const byDelay = share(delayMs, LATE_FROM_MS, LATEST_MS);
    this.#over += Math.max(FOLLOWS_BY * (Math.max(byWork, byDelay) - this.#over), -EASES_BY);
  }
}

/** How far the figure is from where it counts to where it counts in full, 0 to 1. */
function share(figure: number, from: number, full: number): number {
  return Math.min(1, Math.max(0, (figure - from) / (full - from)));
}
