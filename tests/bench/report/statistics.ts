export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

/** `70.1 (69.4–71.0)`: the median, and from the least to the most. */
export function withSpread(values: readonly number[], digits: number): string {
  const of = (value: number) => (Number.isFinite(value) ? value.toFixed(digits) : '–');
  if (values.length < 2) return of(median(values));
  return `${of(median(values))} (${of(Math.min(...values))}–${of(Math.max(...values))})`;
}

/** Round by round, since both were measured right after each other. */
export function ratios(ones: readonly number[], others: readonly number[]): number[] {
  return ones.map((one, round) => one / (others[round] ?? NaN));
}

export function milliseconds(value: number | undefined): string {
  return value === undefined ? '–' : value.toFixed(value < 10 ? 2 : 1);
}

export function percent(share: number): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(0)} %` : '–';
}
