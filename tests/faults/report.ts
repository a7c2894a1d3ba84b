import type { Spread } from '../../src/dev/load/measurements.js';
import type { FaultRow } from './history.js';
import type { FaultResults } from './fault-run.js';
import type { OverloadResult } from './overload.js';

const RECOVERED_WITHIN_MS = 2_000;
const GROWN_BY_MEGABYTES = 80;
/** Connections to Redis that are just being made, or to Postgres by a health check. */
const GROWN_BY_FILES = 5;
const ACCEPTED_P99_MS = 1_000;
const SHED_P99_MS = 1_000;
const LIVE_P99_MS = 1_000;

/** What did not hold, in words; nothing where all of it did. */
export function broken({ rows, megabytes, openFiles }: FaultResults): string[] {
  const grown = ({ before, after }: { before: number[]; after: number[] }, most: number, what: string) =>
    after
      .map((now, index) => now - (before[index] ?? 0))
      .flatMap((by, index) => (by > most ? [`process ${index + 1} has ${by} ${what} more`] : []));
  return [
    ...rows.flatMap((row) => brokenBy(row).map((what) => `${row.fault}: ${what}`)),
    ...grown(megabytes, GROWN_BY_MEGABYTES, 'MB'),
    ...grown(openFiles, GROWN_BY_FILES, 'open files'),
  ];
}

export function footprintText({ megabytes, openFiles }: FaultResults): string {
  const text = ({ before, after }: { before: number[]; after: number[] }) =>
    `${before.join(' and ')} → ${after.join(' and ')}`;
  return `memory of the two processes, MB: ${text(megabytes)}; open files without load: ${text(openFiles)}`;
}

function brokenBy(row: FaultRow): string[] {
  const slowest = Math.max(...row.recoveryMs);
  return [
    ...Object.entries(row.wrong).map(([what, count]) => `${what} (${count}×)`),
    ...(row.journeysLost > 0 ? [`${row.journeysLost} journeys lost`] : []),
    ...(row.eventsLost > 0 ? [`${row.eventsLost} events lost`] : []),
    ...(row.eventsWithTwoIds > 0 ? [`${row.eventsWithTwoIds} events with two ids`] : []),
    ...(row.orphanedLocations > 0 ? [`${row.orphanedLocations} locations outlived their journey`] : []),
    ...(slowest > RECOVERED_WITHIN_MS ? [`served again only after ${Math.round(slowest)} ms`] : []),
    ...(row.requests === 0 ? ['no request was made'] : []),
  ];
}

export function brokenByOverload(result: OverloadResult): string[] {
  const over = (name: string, spread: Spread | undefined, mostMs: number) =>
    spread === undefined || spread.p99 > mostMs
      ? [`overload: ${name} p99 ${spread?.p99 ?? 'unknown'} ms`]
      : [];
  return [
    ...over('accepted', result.accepted, ACCEPTED_P99_MS),
    ...over('refused', result.shed, SHED_P99_MS),
    ...over('/health/live', result.health, LIVE_P99_MS),
    ...Object.entries(result.failures).map(([what, count]) => `overload: ${what} (${count}×)`),
  ];
}

const head = [
  'fault',
  'times',
  'requests',
  'failed',
  'wrong',
  'journeys lost',
  'events lost',
  'repeated',
  'slowest answer',
  'served again after',
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
    String(row.eventsLost),
    String(row.eventsRepeated),
    `${Math.round(row.slowestMs)} ms`,
    `${Math.round(Math.max(...row.recoveryMs))} ms`,
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  const padded = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [padded(head), padded(widths.map((width) => '-'.repeat(width))), ...lines.map(padded)].join('\n');
}

function counts(object: Record<string, number>): string {
  return (
    Object.entries(object)
      .map(([what, count]) => `${what}: ${count}`)
      .join(', ') || '0'
  );
}

export function overloadText(result: OverloadResult): string {
  const { capacity, offered, answered, shedShare, accepted, shed, health } = result;
  const spread = (times: Spread | undefined) =>
    times === undefined ? 'none' : `p50 ${times.p50} ms, p99 ${times.p99} ms, max ${times.max} ms`;
  return [
    `overload: one process takes ${Math.round(capacity)} requests a second; offered ${Math.round(offered)} a second ` +
      `(${(offered / capacity).toFixed(1)} times as many), answered ${answered}, refused ${(100 * shedShare).toFixed(0)} %`,
    `  accepted: ${spread(accepted)}`,
    `  refused: ${spread(shed)}`,
    `  /health/live: ${spread(health)}`,
  ].join('\n');
}
