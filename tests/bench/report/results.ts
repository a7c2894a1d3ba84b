import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { markdownTable } from '../../support/markdown-table.js';
import { canPin, cores } from '../cores.js';
import type { Bar, PartReport, Row } from './part-report.js';

export interface RunDescription {
  startedAt: Date;
  /** Load average of the minute before the run. */
  loadBefore: number;
  nodeVersion: string;
  redisVersion: string;
  settings: string;
  notes: string[];
}

/** Above this other processes used the machine, and latencies mean little. */
const QUIET_LOAD = 0.5;

export function loadBefore(): number {
  return loadavg()[0] ?? 0;
}

/** The whole run, as Markdown. */
export function resultsText(run: RunDescription, parts: readonly PartReport[]): string {
  const bars = parts.flatMap((part) => part.bars);
  const missed = bars.filter(({ verdict }) => verdict === 'MISSED').length;
  return [
    '# Benchmark',
    'Written by `npm run bench`; see `npm run bench -- --help`.',
    description(run)
      .map((line) => `- ${line}`)
      .join('\n'),
    '## Bars',
    `${bars.length - missed} of ${bars.length} are met.`,
    markdownTable(bars.map(rowOfBar)),
    ...parts.flatMap(({ title, rows, notes }) => [
      `## ${title}`,
      ...(rows.length > 0 ? [markdownTable(rows)] : []),
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
      : 'All processes share the cores.',
    ...(loadBefore > QUIET_LOAD
      ? [`The machine was not idle before the run (load ${loadBefore.toFixed(2)}).`]
      : []),
    ...notes,
  ];
}

function kernel(): string {
  return readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
}
