import { createHistogram } from 'node:perf_hooks';

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** `70.1 (69.4–71.0)`: the median, the least and the most. */
export function withSpread(values: readonly number[], digits: number): string {
  const text = (value: number) => (Number.isFinite(value) ? value.toFixed(digits) : '–');
  if (values.length < 2) return text(median(values));
  return `${text(median(values))} (${text(Math.min(...values))}–${text(Math.max(...values))})`;
}

/** Round by round, since both were measured one right after the other. */
export function ratios(ones: readonly number[], others: readonly number[]): number[] {
  return ones.map((one, round) => one / (others[round] ?? NaN));
}

export function milliseconds(value: number | undefined): string {
  return value === undefined ? '–' : value.toFixed(value < 10 ? 2 : 1);
}

export function percent(share: number): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(0)} %` : '–';
}

/** In milliseconds. */
export interface Spread {
  count: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

const LONGEST_MICROS = 3_600_000_000;

/** The distribution of durations, in an HdrHistogram. */
export class Durations {
  readonly #micros = createHistogram({ lowest: 1, highest: LONGEST_MICROS, figures: 3 });

  add(ms: number): void {
    // A difference of two clocks may be slightly negative; the histogram takes integers from 1 on.
    this.#micros.record(Math.min(Math.max(Math.round(ms * 1_000), 1), LONGEST_MICROS));
  }

  /** Undefined while nothing was added. */
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
