import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { canPin, cores } from '../cores.js';
import type { Bar } from './bar.js';
import type { PartReport, Row } from './part-report.js';

export interface RunDescription {
  startedAt: Date;
  /** Over the last minute before the run. */
  loadBefore: number;
  nodeVersion: string;
  redisVersion: string;
  settings: string;
  notes: string[];
}

/** Above this somebody else was at work on the machine, and times mean little. */
const QUIET_LOAD = 0.5;

export function loadBefore(): number {
  return loadavg()[0] ?? 0;
}

/** All that was measured, as Markdown. */
export function resultsText(run: RunDescription, parts: readonly PartReport[]): string {
  const bars = parts.flatMap((part) => part.bars);
  const missed = bars.filter(({ verdict }) => verdict === 'MISSED').length;
  return [
    '# What the service costs',
    'Written by `npm run bench`; see `npm run bench -- --help`.',
    description(run)
      .map((line) => `- ${line}`)
      .join('\n'),
    '## Bars',
    missed === 0 ? 'None is missed.' : `${missed} of ${bars.length} are missed.`,
    table(bars.map(rowOfBar)),
    ...parts.flatMap(({ title, rows, notes }) => [
      `## ${title}`,
      ...(rows.length > 0 ? [table(rows)] : []),
      ...notes,
    ]),
    '',
  ].join('\n\n');
}

export function rowOfBar({ what, limit, figure, verdict }: Bar): Row {
  return { bar: what, limit, figure, verdict };
}

function description({
  startedAt,
  loadBefore,
  nodeVersion,
  redisVersion,
  settings,
  notes,
}: RunDescription): string[] {
  const model = cpus()[0]?.model ?? 'unknown processor';
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return [
    `${startedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    `${model}, ${cores} cores, ${memory}, Linux ${kernel()}`,
    `Node ${nodeVersion}, Redis ${redisVersion}; ${settings}`,
    canPin
      ? 'The contender has a core of its own; Redis, Postgres and the load share the others.'
      : 'All of it shares the cores, which blurs every time.',
    ...(loadBefore > QUIET_LOAD
      ? [
          `The machine was not quiet before the run (load ${loadBefore.toFixed(2)}): take the times with care.`,
        ]
      : []),
    ...notes,
  ];
}

function kernel(): string {
  return readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
}

function table(rows: readonly Row[]): string {
  const columns = Object.keys(rows[0] ?? {});
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(columns),
    line(columns.map(() => '---')),
    ...rows.map((row) => line(columns.map((column) => row[column] ?? ''))),
  ].join('\n');
}
