import type { Clock } from '../clock.js';

interface Alarm {
  atMs: number;
  callback: () => void;
}

/** A clock that a test moves. Before the next timer fires, all promises of the one before have settled. */
export class VirtualClock implements Clock {
  #nowMs = 1_000_000;
  #aheadMs: number;
  /** In the order in which they fire. */
  readonly #alarms: Alarm[] = [];

  /** wallMs: the time of day at the beginning, in milliseconds since 1970. */
  constructor(wallMs = Date.UTC(2026, 10, 22, 10)) {
    this.#aheadMs = wallMs - this.#nowMs;
  }

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
    const next = this.#alarms.findIndex(({ atMs }) => atMs > alarm.atMs);
    this.#alarms.splice(next === -1 ? this.#alarms.length : next, 0, alarm);
    return () => {
      const index = this.#alarms.indexOf(alarm);
      if (index !== -1) this.#alarms.splice(index, 1);
    };
  }

  /** How many timers are pending. */
  get alarms(): number {
    return this.#alarms.length;
  }

  /** Lets so many milliseconds pass; 0 only lets promises settle. */
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

// Bound now, because fake timers of a test framework replace the global ones. A browser's environment has no setImmediate.
const { setTimeout: later, setImmediate: soon = later } = globalThis as Pick<
  typeof globalThis,
  'setTimeout'
> & {
  setImmediate?: (callback: () => void) => unknown;
};

function settled(): Promise<void> {
  return new Promise((resolve) => {
    soon(resolve);
  });
}
