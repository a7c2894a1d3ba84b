import type { Spread } from './measurements.js';
import type { Report } from './report.js';

const figures = ['p50', 'p95', 'p99', 'max'] as const;
const widths = { name: 26, figure: 11 };
const endNames: Record<keyof Report['journeys'], string> = {
  ...{ started: 'started', arrived: 'arrived', cancelled: 'cancelled', stoppedAtEnd: 'stopped at the end' },
  ...{ lost: 'lost', neverStarted: 'never started', left: 'left active' },
};

/** The report for people. */
export function reportText(report: Report): string {
  const { faults } = report;
  return [
    headline(report),
    '',
    row('calls', ['per second', ...figures.map((figure) => `${figure} ms`)], 'by status'),
    ...report.calls.map(({ kind, count, perSecond, byStatus, latencyMs }) =>
      row(`${kind} ${count}`, [perSecond.toFixed(1), ...spreadCells(latencyMs)], pairs(byStatus)),
    ),
    ...report.calls
      .filter(({ refusedByCode }) => Object.keys(refusedByCode).length > 0)
      .map(({ kind, refusedByCode }) => `  refused ${kind}s: ${pairs(refusedByCode)}`),
    '',
    row('positions, when first seen', ['', ...figures.map((figure) => `${figure} ms`)]),
    row('  since they were sent', ['', ...spreadCells(report.positionAgeMs.sinceSent)]),
    row('  since their fix', ['', ...spreadCells(report.positionAgeMs.sinceFix)]),
    '',
    `journeys: ${journeysLine(report.journeys)}`,
    `arrival estimates: ${etaLine(report.eta)}`,
    ...usageLines(report),
    ...list('network errors', Object.entries(report.network)),
    ...list(
      'FAULTS',
      faults.map(({ what, count }) => [what, count] as const),
    ),
    faults.length === 0
      ? 'All answers were as the contract says.'
      : 'Not all answers were as the contract says.',
  ].join('\n');
}

function headline({ measured, journeysWanted, url, watch, seed, endedEarly }: Report): string {
  const phase = measured.phase === 'steady' ? 'steady state' : 'ramp-up only';
  const early = endedEarly ? ', ended early' : '';
  return `${journeysWanted} journeys on ${url}, ${phase} for ${measured.seconds} s${early} (--watch ${watch} --seed ${seed})`;
}

function journeysLine(journeys: Report['journeys']): string {
  const names = Object.keys(endNames) as (keyof Report['journeys'])[];
  return names
    .filter((name) => name === 'started' || journeys[name] > 0)
    .map((name) => `${journeys[name]} ${endNames[name]}`)
    .join(', ');
}

function etaLine({ answers, withRange, inside, medianErrorSeconds }: Report['eta']): string {
  if (withRange === 0) return `none in ${answers} answers`;
  const share = ((100 * inside) / withRange).toFixed(1);
  return `${share} % of arrivals within the range of ${withRange} answers, median error ${medianErrorSeconds} s`;
}

function usageLines({ usage, ownDelayMs: { p50, p99, max } }: Report): string[] {
  const lines = usage.map(
    ({ name, cpuShare, residentMegabytes }) =>
      `${name}: ${(cpuShare * 100).toFixed(1)} % of a core, ${residentMegabytes} MB`,
  );
  return [
    ...lines,
    `the simulator's own delay, which latencies include: p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, max ${max.toFixed(1)} ms`,
  ];
}

function list(title: string, entries: (readonly [string, number])[]): string[] {
  return entries.length === 0
    ? []
    : ['', `${title}:`, ...entries.map(([what, count]) => `  ${count} × ${what}`), ''];
}

function spreadCells(spread: Spread | null): string[] {
  return figures.map((figure) => (spread === null ? '-' : spread[figure].toFixed(1)));
}

function row(name: string, cells: string[], last = ''): string {
  const padded = cells.map((cell) => cell.padStart(widths.figure));
  return `${name.padEnd(widths.name)}${padded.join('')}   ${last}`.trimEnd();
}

function pairs(counts: Record<string, number>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}
