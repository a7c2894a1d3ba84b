import type { Clock } from '../../src/client/clock.js';

interface Alarm {
  atMs: number;
  order: number;
  /** Undefined: cancelled. */
  callback: (() => void) | undefined;
}

/** A monotonic clock that a test moves; alarms ring in their order, each after all that came of the one before. */
export class VirtualClock implements Clock {
  #nowMs = 1_000_000;
  #orders = 0;
  /** A binary heap, the next alarm first: a fleet has thousands. */
  readonly #heap: Alarm[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  after(ms: number, callback: () => void): () => void {
    const alarm: Alarm = { atMs: this.#nowMs + Math.max(0, ms), order: this.#orders++, callback };
    this.#add(alarm);
    return () => {
      alarm.callback = undefined;
    };
  }

  /** How many timers run. */
  get alarms(): number {
    return this.#heap.filter(({ callback }) => callback !== undefined).length;
  }

  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await settled();
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= untilMs; next = this.#heap[0]) {
      this.#removeFirst();
      if (next.callback === undefined) continue;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      const { callback } = next;
      next.callback = undefined;
      callback();
      await settled();
    }
    this.#nowMs = untilMs;
  }

  #add(alarm: Alarm): void {
    let at = this.#heap.push(alarm) - 1;
    for (let parent = (at - 1) >> 1; at > 0 && this.#isBefore(at, parent); parent = (at - 1) >> 1) {
      this.#swap(at, parent);
      at = parent;
    }
  }

  #removeFirst(): void {
    this.#swap(0, this.#heap.length - 1);
    this.#heap.pop();
    for (let at = 0; ;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#heap.length && this.#isBefore(child, least)) least = child;
      }
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #isBefore(one: number, other: number): boolean {
    const [first, second] = [this.#heap[one] as Alarm, this.#heap[other] as Alarm];
    return first.atMs < second.atMs || (first.atMs === second.atMs && first.order < second.order);
  }

  #swap(one: number, other: number): void {
    [this.#heap[one], this.#heap[other]] = [this.#heap[other] as Alarm, this.#heap[one] as Alarm];
  }
}

/** Every promise that can go on has done so. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
