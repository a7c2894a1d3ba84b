/** `npm run bench`: see --help. */
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Argument, Command, InvalidArgumentError } from 'commander';
import * as prettier from 'prettier';
import { runWithStack, say, type Stack } from '../support/stack.js';
import { wholeNumber } from '../support/whole-number.js';
import { Bench } from './bench.js';
import { measureCosts, type CallGroup } from './parts/cost.js';
import { measureFleet } from './parts/fleet.js';
import { measureMemory } from './parts/memory.js';
import { measureOverload } from './parts/overload.js';
import { countRoundTrips } from './parts/round-trips.js';
import { measureWaiting } from './parts/waiting.js';
import type { PartReport } from './report/part-report.js';
import { loadBefore, resultsText, rowOfBar, type RunDescription } from './report/results.js';

/** In the order in which they run. */
const partNames = ['update', 'live', 'waiting', 'memory', 'trips', 'overload', 'fleet'] as const;
type PartName = (typeof partNames)[number];

interface Options {
  only: PartName[];
  rounds: number;
  seconds: number;
  journeys: number;
  against?: string;
}

/** Production's; costs differ between versions. */
const NODE_MAJOR = 24;
const resultsFile = join(import.meta.dirname, 'RESULTS.md');

const command = new Command('npm run bench --')
  .description(
    'Measures what the built service costs, in turn with a bare node:http floor and Fastify with the same features. ' +
      'Linux only. Takes about half an hour on an idle machine. A run of all parts writes tests/bench/RESULTS.md. ' +
      'BENCH_NODE=PATH chooses the Node that all servers run on.',
  )
  .addArgument(new Argument('[quick]', 'only the update against the floor, in a minute').choices(['quick']))
  .option('--only <parts>', `some of ${partNames.join(',')}`, parseParts, [...partNames])
  .option('--rounds <n>', 'rounds of each contender for update and live', wholeNumber(1, 100), 15)
  .option('--seconds <n>', 'of each round', wholeNumber(1, 600), 1)
  .option('--journeys <n>', 'active journeys', wholeNumber(100, 100_000), 10_000)
  .option('--against <folder>', 'another built checkout of the service, measured in turn with this one')
  .action(async (quick: string | undefined, options: Options) => {
    await runWithStack({ keepEvents: 1 }, (stack) => run(stack, options, quick !== undefined));
  });
await command.parseAsync();

function parseParts(text: string): PartName[] {
  const names = text.split(',');
  const unknown = names.filter((name) => !(partNames as readonly string[]).includes(name));
  if (unknown.length > 0) throw new InvalidArgumentError(`There is no part ${unknown.join(', ')}.`);
  return partNames.filter((name) => names.includes(name));
}

async function run(stack: Stack, options: Options, isQuick: boolean): Promise<number> {
  const [startedAt, load] = [new Date(), loadBefore()];
  const node = process.env['BENCH_NODE'] ?? process.execPath;
  const { rounds, seconds, journeys } = options;
  const against = options.against === undefined ? undefined : resolve(options.against);
  const bench = await Bench.start(stack, { rounds, seconds, journeys, node, isQuick, against });
  const only = isQuick ? (['update'] as const) : options.only;
  const reports = await measureParts(bench, only);
  const description = {
    ...{ startedAt, loadBefore: load, redisVersion: bench.redisVersion },
    ...nodeVersion(node),
    settings: `${rounds} rounds of ${seconds} s, ${journeys} journeys`,
  };
  show(description, reports);
  if (only.length === partNames.length && against === undefined) await writeResults(description, reports);
  return 0;
}

async function measureParts(bench: Bench, only: readonly PartName[]): Promise<PartReport[]> {
  const groups = (['update', 'live'] as const satisfies CallGroup[]).filter((name) => only.includes(name));
  const reports = groups.length === 0 ? [] : await measureCosts(bench, groups);
  if (only.includes('waiting')) reports.push(await measureWaiting(bench));
  if (only.includes('memory')) reports.push(await measureMemory(bench));
  if (only.includes('trips')) reports.push(await countRoundTrips(bench));
  if (only.includes('overload')) reports.push(await measureOverload(bench));
  if (only.includes('fleet')) reports.push(await measureFleet(bench));
  return reports;
}

function nodeVersion(path: string): Pick<RunDescription, 'nodeVersion' | 'notes'> {
  const version = execFileSync(path, ['--version'], { encoding: 'utf8' }).trim();
  const isProductions = version.startsWith(`v${NODE_MAJOR}.`);
  const note = `The bars are meant for Node ${NODE_MAJOR}: set BENCH_NODE.`;
  return { nodeVersion: version, notes: isProductions ? [] : [note] };
}

function show(run: RunDescription, reports: readonly PartReport[]): void {
  console.log(
    [`Node ${run.nodeVersion}, Redis ${run.redisVersion}; ${run.settings}`, ...run.notes].join('\n'),
  );
  for (const { title, rows, notes } of reports) {
    console.log(`\n${title}`);
    console.table(rows);
    for (const line of notes) console.log(line);
  }
  console.log('\nBars');
  console.table(reports.flatMap(({ bars }) => bars.map(rowOfBar)));
}

async function writeResults(run: RunDescription, reports: readonly PartReport[]): Promise<void> {
  const config = (await prettier.resolveConfig(resultsFile)) ?? {};
  const text = resultsText(run, reports);
  await writeFile(resultsFile, await prettier.format(text, { ...config, parser: 'markdown' }));
  say(`written to ${resultsFile}`);
}
