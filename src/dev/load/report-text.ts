import type { Spread } from './measurements.js';
import type { Report } from './report.js';

const figures = ['p50', 'p95', 'p99', 'max'] as const;
const widths = { name: 26, figure: 11 };

/** The report for people: plain text, the same on a terminal and in a file. */
export function reportText(report: Report): string {
  return [
    headline(report),
    '',
    row('calls', ['per second', ...figures.map((figure) => `${figure} ms`)], 'by status'),
    ...Object.entries(report.calls).map(([kind, { count, perSecond, byOutcome, latencyMs }]) => {
      const name = `${kind === 'wait' ? 'wait (how long held)' : kind} ${count}`;
      return row(name, [perSecond.toFixed(1), ...spreadCells(latencyMs)], pairs(byOutcome));
    }),
    ...refusals(report),
    '',
    row('position, when first seen', ['', ...figures.map((figure) => `${figure} ms`)]),
    row('  since it was accepted', ['', ...spreadCells(report.positionAgeMs.fromAcceptance)]),
    row('  since its fix', ['', ...spreadCells(report.positionAgeMs.fromFix)]),
    '',
    `journeys: ${pairs(report.journeys)}`,
    `arrivals: ${etaLine(report.eta)}`,
    ...usageLines(report),
    ...list('trouble of the network', Object.entries(report.network)),
    ...list(
      'WRONG',
      report.wrong.map(({ what, count }) => [what, count] as const),
    ),
    report.wrong.length === 0 ? 'All answers were as they should be.' : 'Not all was as it should be.',
  ].join('\n');
}

function headline({ measured, journeysWanted, url, watch, seed, endedEarly }: Report): string {
  const phase = measured.phase === 'steady' ? 'steady state' : 'the ramp-up alone';
  const early = endedEarly ? ', ended early' : '';
  return `${journeysWanted} journeys on ${url}, ${phase} for ${measured.seconds} s${early} (--watch ${watch} --seed ${seed})`;
}

function refusals({ calls }: Report): string[] {
  return Object.entries(calls).flatMap(([kind, { refusedByCode }]) =>
    Object.keys(refusedByCode).length === 0 ? [] : [`  refused ${kind}s: ${pairs(refusedByCode)}`],
  );
}

function etaLine({ answers, withRange, coverage, medianErrorSeconds }: Report['eta']): string {
  const range =
    coverage === null
      ? 'no answer had a range'
      : `${(coverage * 100).toFixed(1)} % inside the range that ${withRange} answers gave`;
  const error =
    medianErrorSeconds === null ? '' : `; etaSeconds was off by ${medianErrorSeconds} s in the median`;
  return `${range}${error} (${answers} answers)`;
}

function usageLines({ usage, ownDelayMs, clockOffsetMs }: Report): string[] {
  const lines = usage.map(
    ({ name, cpuShare, residentMegabytes }) =>
      `${name}: ${(cpuShare * 100).toFixed(1)} % of a core, ${residentMegabytes} MB`,
  );
  if (ownDelayMs) {
    const { p50, p99, max } = ownDelayMs;
    lines.push(`the simulator's own delay, which latencies include: p50 ${p50}, p99 ${p99}, max ${max} ms`);
  }
  if (clockOffsetMs !== 0)
    lines.push(`the service's clock is ahead by ${clockOffsetMs} ms, which is taken off`);
  return lines;
}

function list(title: string, entries: (readonly [string, number])[]): string[] {
  return entries.length === 0
    ? []
    : ['', `${title}:`, ...entries.map(([what, count]) => `  ${count} × ${what}`), ''];
}

function spreadCells(spread: Spread | null): string[] {
  return figures.map((figure) => (spread === null ? '-' : String(spread[figure])));
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
