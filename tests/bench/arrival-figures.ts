import type { DrivenJourney, Reading } from '../support/driven-journey.js';

type Table = Record<string, Record<string, string | number>>;
interface Estimate {
  leftSeconds: number;
  low: number;
  eta: number;
  high: number;
}

/** By the seconds left until the arrival. */
const bins = [
  { name: 'under 1 min', fromSeconds: 0 },
  { name: '1 to 3 min', fromSeconds: 60 },
  { name: '3 to 10 min', fromSeconds: 180 },
  { name: 'over 10 min', fromSeconds: 600 },
];
/** Estimates are rounded to seconds. */
const ROUNDING_SECONDS = 0.5;

export function arrivalFigures(journeys: Map<string, DrivenJourney[]>): Table {
  const table: Table = {};
  for (const [kind, driven] of journeys) table[kind] = figuresOf(driven.flatMap(({ readings }) => readings));
  const all = [...journeys].filter(([kind]) => !kind.includes('-')).flatMap(([, driven]) => driven);
  const readings = all.flatMap((driven) => driven.readings);
  table['all simulated'] = figuresOf(readings);
  for (const [index, { name, fromSeconds }] of bins.entries()) {
    const toSeconds = bins[index + 1]?.fromSeconds ?? Infinity;
    const inside = readings.filter(({ leftSeconds: left }) => left >= fromSeconds && left < toSeconds);
    table[`  ${name}`] = figuresOf(inside);
  }
  return table;
}

export function medianWidthAndCoverage(driven: DrivenJourney[]): string {
  const estimates = driven.flatMap(({ readings }) => readings.flatMap(estimateIn));
  return `${percent(coverage(estimates))} within the interval, median width ${percent(median(estimates.map(widthOf)))} of the time left`;
}

export function cadenceFigures(
  fixed: Map<string, DrivenJourney[]>,
  steered: Map<string, DrivenJourney[]>,
): Table {
  const table: Table = {};
  const rows = [...steered.keys()].map(
    (kind) => [kind, fixed.get(kind) ?? [], steered.get(kind) ?? []] as const,
  );
  const simulated = rows.filter(([kind]) => !kind.includes('-'));
  const all = [
    'all simulated',
    simulated.flatMap((row) => row[1]),
    simulated.flatMap((row) => row[2]),
  ] as const;
  for (const [kind, before, after] of [...rows, all]) {
    const [was, is] = [load(before), load(after)];
    table[kind] = {
      'updates/h': `${was.updates.toFixed(0)} → ${is.updates.toFixed(0)}`,
      'polls/h': `${was.polls.toFixed(0)} → ${is.polls.toFixed(0)}`,
      'requests saved': percent(1 - (is.updates + is.polls) / (was.updates + was.polls)),
      'seen off by, median m': change(was.seen, is.seen, 0.5),
      p95: change(was.seen, is.seen, 0.95),
      'known off by, median m': change(was.known, is.known, 0.5),
      'p95 ': change(was.known, is.known, 0.95),
    };
  }
  return table;
}

function figuresOf(readings: Reading[]): Record<string, string | number> {
  const estimates = readings.flatMap(estimateIn);
  return {
    readings: readings.length,
    null: percent(1 - estimates.length / readings.length),
    'in the interval': percent(coverage(estimates)),
    sooner: percent(share(estimates, ({ leftSeconds, low }) => leftSeconds < low - ROUNDING_SECONDS)),
    'median width': percent(median(estimates.map(widthOf))),
    'median error': percent(
      median(estimates.map((f) => Math.abs(f.eta - f.leftSeconds) / Math.max(1, f.leftSeconds))),
    ),
    'median error s': Math.round(median(estimates.map((f) => Math.abs(f.eta - f.leftSeconds)))),
  };
}

function estimateIn({ leftSeconds, view }: Reading): Estimate[] {
  const { etaLowSeconds: low, etaSeconds: eta, etaHighSeconds: high } = view;
  return low === null || eta === null || high === null ? [] : [{ leftSeconds, low, eta, high }];
}

function coverage(estimates: Estimate[]): number {
  return share(
    estimates,
    ({ leftSeconds, low, high }) =>
      leftSeconds >= low - ROUNDING_SECONDS && leftSeconds <= high + ROUNDING_SECONDS,
  );
}

/** The width of the interval as a share of the time that was left. */
function widthOf({ low, high, leftSeconds }: Estimate): number {
  return (high - low) / Math.max(1, leftSeconds);
}

function load(driven: DrivenJourney[]) {
  const hours = sumOf(driven, 'seconds') / 3_600;
  return {
    updates: sumOf(driven, 'updates') / hours,
    polls: sumOf(driven, 'polls') / hours,
    seen: Float64Array.from(driven.flatMap(({ seenOffMeters }) => seenOffMeters)).sort(),
    known: Float64Array.from(driven.flatMap(({ knownOffMeters }) => knownOffMeters)).sort(),
  };
}

function sumOf(driven: DrivenJourney[], field: 'updates' | 'polls' | 'seconds'): number {
  return driven.reduce((total, journey) => total + journey[field], 0);
}

function share<T>(values: T[], isSuch: (value: T) => boolean): number {
  return values.filter(isSuch).length / values.length;
}

function median(values: number[]): number {
  return Float64Array.from(values).sort()[Math.floor(values.length / 2)] ?? NaN;
}

function change(was: Float64Array, is: Float64Array, quantile: number): string {
  const of = (sorted: Float64Array) => (sorted[Math.floor(sorted.length * quantile)] ?? NaN).toFixed(0);
  return `${of(was)} → ${of(is)}`;
}

function percent(part: number): string {
  return `${(part * 100).toFixed(0)} %`;
}
