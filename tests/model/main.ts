/** `npm run test:long`: see helpText in command-line.ts. */
import { startLocalPostgres } from '../../src/dev/servers/local-postgres.js';
import { startReaper } from '../../src/dev/servers/reaper.js';
import { createSchema } from '../../src/dev/session-database.js';
import { StopList } from '../../src/dev/stop-list.js';
import { helpText, readCommandLine, type LongRunOptions } from './command-line.js';
import { hurriedSettings } from './concurrent-clients.js';
import { runConcurrentHistories } from './concurrent-histories.js';
import { RealJourneys } from './real-journeys.js';
import { runRandomHistories } from './random-histories.js';
import { ServiceUnderModel } from './service-under-model.js';

const PROGRESS_EVERY_MS = 10_000;
const INSTANCES = 2;
const SESSIONS_AT_ONCE = 8;

const say = (line: string): void => {
  console.error(line);
};

const commandLine = readCommandLine(process.argv.slice(2));
switch (commandLine.kind) {
  case 'help':
    console.log(helpText);
    break;
  case 'wrong':
    console.error(`${commandLine.reason}\nnpm run test:long -- --help says what there is.`);
    process.exitCode = 2;
    break;
  case 'run':
    runAndCleanUp(commandLine.options);
}

function runAndCleanUp(options: LongRunOptions): void {
  const toStop = new StopList(say);
  let isEnding = false;
  const end = (exitCode: number) => {
    if (isEnding) return;
    isEnding = true;
    void toStop.stopAll().finally(() => process.exit(exitCode));
  };
  process.on('SIGINT', () => {
    end(130);
  });
  process.on('SIGTERM', () => {
    end(143);
  });
  run(options, toStop).then(end, (error: unknown) => {
    // What was stopped under its hands is no failure.
    if (!isEnding) console.error(error);
    end(1);
  });
}

/** Returns the exit code. */
async function run(options: LongRunOptions, toStop: StopList): Promise<number> {
  const reaper = startReaper();
  toStop.add(() => {
    reaper.close();
    return Promise.resolve();
  });
  const postgres = await startLocalPostgres({ reaper, say });
  toStop.add(() => postgres.stop());
  await createSchema(postgres.url);
  let isFine = true;
  if (options.parts.includes('histories')) isFine &&= await histories(options, postgres.url, toStop);
  if (options.parts.includes('concurrency')) isFine &&= await concurrency(options, postgres.url, toStop);
  return isFine ? 0 : 1;
}

async function histories(options: LongRunOptions, databaseUrl: string, toStop: StopList): Promise<boolean> {
  const { operations, seed, path } = options;
  console.log(`random histories: ${operations} calls, seed ${seed}`);
  const real = await RealJourneys.start(databaseUrl);
  toStop.add(() => real.stop());
  const progress = progressOf(operations);
  const result = await runRandomHistories(real, { operations, seed, path, onProgress: progress.show });
  const { failure } = result;
  if (failure !== null) console.log(failure);
  const outcomes = [...real.outcomes].sort(([one], [other]) => (one < other ? -1 : 1));
  for (const [outcome, count] of outcomes) console.log(`  ${String(count).padStart(7)} ${outcome}`);
  const found = failure === null ? 'no difference' : 'a difference';
  const broken = `${result.inconclusive} broken off by a 503`;
  console.log(
    `${result.operations} calls in ${result.histories} histories, ${broken}: ${found}; ${progress.time()}`,
  );
  return failure === null;
}

async function concurrency(options: LongRunOptions, databaseUrl: string, toStop: StopList): Promise<boolean> {
  const { concurrent: operations, seed } = options;
  console.log(`clients at once: ${operations} calls, ${INSTANCES} processes, seed ${seed}`);
  const service = await ServiceUnderModel.start({
    ...{ databaseUrl, instances: INSTANCES, asProcesses: true, settings: hurriedSettings },
  });
  toStop.add(() => service.stop());
  const progress = progressOf(operations);
  const result = await runConcurrentHistories(service, {
    ...{ operations, instances: INSTANCES, seed, atOnce: SESSIONS_AT_ONCE, onProgress: progress.show },
  });
  const { failure } = result;
  if (failure !== null) console.log(failure);
  const found = failure === null ? 'all of it can be explained' : 'not all of it can be explained';
  const heard = `${result.unheard} unheard of, ${result.overlapping} pairs that overlap`;
  console.log(
    `${result.operations} calls to ${result.histories} sessions, ${heard}: ${found}; ${progress.time()}`,
  );
  return failure === null;
}

function progressOf(all: number): { show: (progress: { operations: number }) => void; time: () => string } {
  const startedMs = performance.now();
  let shownMs = startedMs;
  const seconds = () => ((performance.now() - startedMs) / 1_000).toFixed(0);
  return {
    show: ({ operations }) => {
      if (performance.now() - shownMs < PROGRESS_EVERY_MS) return;
      shownMs = performance.now();
      say(`  ${operations} of ${all} calls, ${seconds()} s`);
    },
    time: () => `${seconds()} s`,
  };
}
