import type { Spread } from '../../src/dev/load/measurements.js';
import type { FaultResults } from './fault-run.js';
import type { FaultRow } from './history.js';
import { TIMES_TOO_MUCH, type OverloadResult } from './overload.js';
import type { Footprint } from './processes.js';

const RECOVERED_WITHIN_MS = 2_000;
const EVENTS_OUT_WITHIN_MS = 40_000;
const MOST_GROWN: Record<keyof Footprint, { by: number; name: string }> = {
  megabytes: { by: 20, name: 'MB' },
  // Connections to Redis that are just being made, or to Postgres by a health check.
  openFiles: { by: 4, name: 'open files' },
  handles: { by: 6, name: 'handles' },
};

/** What did not hold, in words; nothing where all of it did. */
export function broken({ rows, before, after, atTheEnd }: FaultResults): string[] {
  return [
    ...rows.flatMap((row) => brokenBy(row).map((what) => `${row.fault}: ${what}`)),
    ...grown(before, after, 'after the faults'),
    ...grown(before, atTheEnd, 'at the end'),
  ];
}

function grown(before: readonly Footprint[], after: readonly Footprint[], when: string): string[] {
  const most = (footprints: readonly Footprint[], what: keyof Footprint) =>
    Math.max(...footprints.map((footprint) => footprint[what]));
  return (Object.keys(MOST_GROWN) as (keyof Footprint)[]).flatMap((what) => {
    const by = most(after, what) - most(before, what);
    // Not a number where a process did not tell: that holds nothing either.
    return by <= MOST_GROWN[what].by ? [] : [`${when} a process has ${by} ${MOST_GROWN[what].name} more`];
  });
}

export function footprintText({ before, after, atTheEnd }: FaultResults): string {
  const text = (footprints: readonly Footprint[]) =>
    footprints
      .map(({ megabytes, openFiles, handles }) => `${megabytes} MB, ${openFiles} files, ${handles} handles`)
      .join(' and ');
  return [
    'What the processes hold without load:',
    `  before the faults: ${text(before)}`,
    `  after those that leave the processes: ${text(after)}`,
    `  at the end, others: ${text(atTheEnd)}`,
  ].join('\n');
}

function brokenBy(row: FaultRow): string[] {
  const some = (count: number, what: string) => (count === 0 ? [] : [`${count} ${what}`]);
  const within = (times: readonly number[], limitMs: number, what: string) => {
    const slowest = Math.max(0, ...times);
    return slowest <= limitMs ? [] : [`${what} only after ${Math.round(slowest)} ms`];
  };
  return [
    ...Object.entries(row.wrong).map(([what, count]) => `${what} (${count}×)`),
    ...some(row.journeysLost, 'journeys lost'),
    ...some(row.eventsLost, 'events lost'),
    ...some(row.eventsWithTwoIds, 'events with two ids'),
    ...some(row.eventsOfNothing, 'events of what no answer told'),
    ...some(row.orphanedLocations, 'locations outlived their journey'),
    ...within(row.recoveryMs, RECOVERED_WITHIN_MS, 'served again'),
    ...within(row.eventsOutMs, EVENTS_OUT_WITHIN_MS, 'events were out'),
    ...(row.requests === 0 ? ['no request was made'] : []),
    ...(row.events === 0 ? ['no event was told'] : []),
  ];
}

const head = [
  'fault',
  'times',
  'requests',
  'failed',
  'wrong',
  'journeys lost',
  'events',
  'lost',
  'repeated',
  'slowest answer',
  'served again after',
  'events out after',
  'waited for a CPU',
];

/** Markdown, because it goes into the README as it is. */
export function tableOf(rows: readonly FaultRow[]): string {
  const lines = rows.map((row) => [
    row.fault,
    String(row.times),
    String(row.requests),
    counts(row.failed),
    counts(row.wrong),
    String(row.journeysLost),
    String(row.events),
    String(row.eventsLost),
    String(row.eventsRepeated),
    `${(row.slowestMs / 1_000).toFixed(2)} s`,
    slowestOf(row.recoveryMs),
    slowestOf(row.eventsOutMs),
    Number.isNaN(row.cpuWait) ? '' : `${Math.round(100 * row.cpuWait)} %`,
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  const padded = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [padded(head), padded(widths.map((width) => '-'.repeat(width))), ...lines.map(padded)].join('\n');
}

function slowestOf(times: readonly number[]): string {
  return times.length === 0 ? '' : `${(Math.max(...times) / 1_000).toFixed(2)} s`;
}

function counts(object: Record<string, number>): string {
  return (
    Object.entries(object)
      .map(([what, count]) => `${what}: ${count}`)
      .join(', ') || '0'
  );
}

const ACCEPTED_P99_MS = 1_000;
/** "At once": a refusal must not wait behind what is being done. */
const SHED_P99_MS = 500;
const LIVE_P99_MS = 500;
/** Of the capacity, what is still served while three times as much comes. */
const LEAST_SERVED = 0.4;
const LEAST_OFFERED = 2.5;

export function brokenByOverload(result: OverloadResult): string[] {
  const { capacity, offered, served, shedShare } = result;
  const over = (name: string, spread: Spread | undefined, mostMs: number) =>
    spread !== undefined && spread.p99 <= mostMs
      ? []
      : [`overload: ${name} p99 ${spread?.p99 ?? 'unknown'} ms`];
  const under = (name: string, value: number, least: number) =>
    value >= least ? [] : [`overload: ${name} ${value.toFixed(2)}, and not ${least}`];
  return [
    ...over('accepted', result.accepted, ACCEPTED_P99_MS),
    ...over('refused', result.shed, SHED_P99_MS),
    ...over('/health/live', result.health, LIVE_P99_MS),
    ...under('offered, of the capacity,', offered / capacity, LEAST_OFFERED),
    ...under('served, of the capacity,', served / capacity, LEAST_SERVED),
    ...(shedShare > 0 ? [] : ['overload: nothing was refused, so it was none']),
    ...Object.entries(result.failures).map(([what, count]) => `overload: ${what} (${count}×)`),
  ];
}

export function overloadText(result: OverloadResult): string {
  const { capacity, refusable, offered, served, shedShare, accepted, shed, health } = result;
  const spread = (times: Spread | undefined) =>
    times === undefined ? 'none' : `p50 ${times.p50} ms, p99 ${times.p99} ms, max ${times.max} ms`;
  return [
    `overload: one process takes ${Math.round(capacity)} requests a second; offered ${Math.round(offered)} a second ` +
      `(${(offered / capacity).toFixed(1)} times as many), served ${Math.round(served)} a second, refused ${(100 * shedShare).toFixed(0)} %`,
    `  accepted: ${spread(accepted)}`,
    `  refused: ${spread(shed)}`,
    `  /health/live: ${spread(health)}`,
    `  the load's own delay before it sent, in all of these: ${spread(result.ownDelay)}`,
    `  ${TIMES_TOO_MUCH} times the capacity is ${Math.round(TIMES_TOO_MUCH * capacity)} a second; ` +
      `a bare server that does nothing but refuse takes ${Math.round(refusable)}`,
  ].join('\n');
}
