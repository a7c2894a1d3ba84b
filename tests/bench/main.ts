/** `npm run bench`: see helpText in command-line.ts. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as prettier from 'prettier';
import { startLocalEventBus } from '../../src/dev/event-bus/local-event-bus.js';
import { startLocalPostgres } from '../../src/dev/servers/local-postgres.js';
import { startReaper, type Reaper } from '../../src/dev/servers/reaper.js';
import { createSchema } from '../../src/dev/session-database.js';
import { StopList } from '../../src/dev/stop-list.js';
import { Bench } from './bench.js';
import { helpText, partNames, readCommandLine, type BenchOptions } from './command-line.js';
import { leaveTheServicesCore } from './cores.js';
import { insertSessions } from './journeys.js';
import { LoadProcess } from './load-process.js';
import { findNode, type NodeBinary } from './node-binary.js';
import { measureCosts, type CallGroup } from './parts/cost.js';
import { measureGrowth } from './parts/growth.js';
import { measureRealMix } from './parts/real-mix.js';
import { measureRedisMemory } from './parts/redis-memory.js';
import { countRoundTrips, spareSessions } from './parts/round-trips.js';
import { measureWaiting } from './parts/waiting.js';
import type { PartReport } from './report/part-report.js';
import { loadBefore, resultsText, rowOfBar, type RunDescription } from './report/results.js';

const resultsFile = join(import.meta.dirname, 'RESULTS.md');

const say = (line: string): void => {
  console.error(line);
};

const commandLine = readCommandLine(process.argv.slice(2));
switch (commandLine.kind) {
  case 'help':
    console.log(helpText);
    break;
  case 'wrong':
    console.error(`${commandLine.reason}\n\n${helpText}`);
    process.exitCode = 2;
    break;
  case 'run': {
    if (process.platform !== 'linux')
      throw new Error('The bench needs Linux: it reads /proc and uses taskset.');
    const node = findNode(commandLine.options.node, say);
    if (node === undefined) {
      console.error(`--node ${commandLine.options.node} is no Node that runs here.`);
      process.exitCode = 2;
    } else {
      await runAndCleanUp(commandLine.options, node);
    }
  }
}

async function runAndCleanUp(options: BenchOptions, node: NodeBinary): Promise<void> {
  const reaper = startReaper();
  const toStop = new StopList(say);
  const interruption = new AbortController();
  const cleanUp = async () => {
    await toStop.stopAll();
    reaper.close();
  };
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => {
      interruption.abort();
      void cleanUp().finally(() => process.exit(code));
    });
  }
  try {
    await run(options, node, reaper, toStop);
    await cleanUp();
  } catch (error) {
    // What was stopped under its hands is no failure.
    if (interruption.signal.aborted) await new Promise(() => undefined);
    console.error(error);
    await cleanUp();
    process.exitCode = 1;
  }
}

async function run(options: BenchOptions, node: NodeBinary, reaper: Reaper, toStop: StopList): Promise<void> {
  const [startedAt, load] = [new Date(), loadBefore()];
  leaveTheServicesCore();
  const bus = await startLocalEventBus({ keep: 1 });
  toStop.add(() => bus.stop());
  const postgres = await startLocalPostgres({ reaper, say });
  toStop.add(() => postgres.stop());
  await createSchema(postgres.url);
  await insertSessions(postgres.url, options.journeys + spareSessions);
  const loadProcess = new LoadProcess(node.path, reaper);
  toStop.add(() => loadProcess.stop());
  const surroundings = { reaper, toStop, databaseUrl: postgres.url, eventBusUrl: bus.url };
  const bench = new Bench({ options, node, load: loadProcess, say, ...surroundings });

  const reports = await measure(bench, options);
  const description = describe(options, node, {
    startedAt,
    loadBefore: load,
    redisVersion: bench.redisVersion,
  });
  show(description, reports);
  if (options.isQuick || options.only.length < partNames.length) return;
  const config = (await prettier.resolveConfig(resultsFile)) ?? {};
  const text = resultsText(description, reports);
  await writeFile(resultsFile, await prettier.format(text, { ...config, parser: 'markdown' }));
  say(`written to ${resultsFile}`);
}

async function measure(bench: Bench, { only, isQuick }: BenchOptions): Promise<PartReport[]> {
  const groups = (['update', 'live', 'mix'] as const satisfies CallGroup[]).filter((name) =>
    only.includes(name),
  );
  const reports = groups.length === 0 ? [] : await measureCosts(bench, groups);
  if (isQuick) return reports;
  if (only.includes('mix')) reports.push(await measureRealMix(bench));
  if (only.includes('wait')) reports.push(await measureWaiting(bench));
  if (only.includes('growth')) reports.push(await measureGrowth(bench));
  if (only.includes('memory')) reports.push(await measureRedisMemory(bench));
  if (only.includes('trips')) reports.push(await countRoundTrips(bench));
  return reports;
}

function describe(
  { rounds, seconds, journeys }: BenchOptions,
  { version, note }: NodeBinary,
  measured: Pick<RunDescription, 'startedAt' | 'loadBefore' | 'redisVersion'>,
): RunDescription {
  return {
    ...measured,
    nodeVersion: version,
    settings: `${rounds} rounds of ${seconds} s, ${journeys} journeys`,
    notes: note === undefined ? [] : [note],
  };
}

function show(
  { nodeVersion, redisVersion, settings, notes }: RunDescription,
  reports: readonly PartReport[],
): void {
  console.log([`Node ${nodeVersion}, Redis ${redisVersion}; ${settings}`, ...notes].join('\n'));
  for (const { title, rows, notes: partNotes } of reports) {
    console.log(`\n${title}`);
    if (rows.length > 0) console.table(rows);
    for (const line of partNotes) console.log(line);
  }
  console.log('\nBars');
  console.table(reports.flatMap(({ bars }) => bars.map(rowOfBar)));
}
