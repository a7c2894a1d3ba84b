import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** Counts by name. */
export class Counts {
  readonly #counts = new Map<string, number>();

  add(name: string, count = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Names in their order, so that two reports can be compared. */
  toObject(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([one], [other]) => (one < other ? -1 : 1)));
  }
}

export interface Spread {
  count: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

const microsPerMs = 1_000;
const longestMs = 3_600_000;

/** How times in milliseconds are spread: Node's HdrHistogram, exact to a thousandth of each value. */
export class Times {
  readonly #micros: RecordableHistogram = createHistogram({
    lowest: 1,
    highest: longestMs * microsPerMs,
    figures: 3,
  });

  add(ms: number): void {
    // The histogram takes whole numbers from 1 on; clocks that are compared may say a little less than nothing.
    this.#micros.record(Math.min(Math.max(Math.round(ms * microsPerMs), 1), longestMs * microsPerMs));
  }

  /** Undefined where there was nothing to measure. */
  spread(): Spread | undefined {
    const { count, max } = this.#micros;
    if (count === 0) return undefined;
    const at = (share: number) => inMs(this.#micros.percentile(share));
    return { count, p50: at(50), p95: at(95), p99: at(99), max: inMs(max) };
  }
}

function inMs(micros: number): number {
  return Math.round(micros / 10) / 100;
}
