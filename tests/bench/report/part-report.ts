import type { Bar } from './bar.js';

export type Row = Record<string, string>;

/** What a part of the benchmark found out. */
export interface PartReport {
  title: string;
  rows: Row[];
  bars: Bar[];
  /** What whoever reads the figures should know of how they came about. */
  notes: string[];
}
