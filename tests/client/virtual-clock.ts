import type { Clock } from '../../src/client/clock.js';

interface Alarm {
  atMs: number;
  callback: () => void;
}

/** A monotonic clock that a test moves. Before the next alarm rings, all promises of the one before have settled. */
export class VirtualClock implements Clock {
  #nowMs = 1_000_000;
  #aheadMs = Date.UTC(2026, 10, 22, 10) - 1_000_000;
  /** In the order in which they ring. */
  readonly #alarms: Alarm[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs + this.#aheadMs;
  }

  /** A user or the network sets the phone's clock. */
  setWall(ms: number): void {
    this.#aheadMs = ms - this.#nowMs;
  }

  after(ms: number, callback: () => void): () => void {
    const alarm: Alarm = { atMs: this.#nowMs + Math.max(0, ms), callback };
    const previous = this.#alarms.findLastIndex(({ atMs }) => atMs <= alarm.atMs);
    this.#alarms.splice(previous + 1, 0, alarm);
    return () => {
      const index = this.#alarms.indexOf(alarm);
      if (index !== -1) this.#alarms.splice(index, 1);
    };
  }

  /** How many timers run. */
  get alarms(): number {
    return this.#alarms.length;
  }

  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await settled();
    for (let next = this.#alarms[0]; next !== undefined && next.atMs <= untilMs; next = this.#alarms[0]) {
      this.#alarms.shift();
      this.#nowMs = next.atMs;
      next.callback();
      await settled();
    }
    this.#nowMs = untilMs;
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
