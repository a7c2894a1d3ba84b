/** `npm run test:long`: see --help. */
import { Command, Option } from 'commander';
import { runWithStack, say, type Stack } from '../support/stack.js';
import { wholeNumber } from '../support/whole-number.js';
import { Redis } from 'ioredis';
import { withScripts } from '../../src/store/scripts.js';
import { contractRules } from '../support/driven-journey.js';
import { hurriedSettings } from './concurrent-clients.js';
import { runConcurrentHistories } from './concurrent-histories.js';
import { runRandomHistories } from './random-histories.js';
import { holds, phones } from './phones.js';
import { RealJourneys } from './real-journeys.js';
import { ServiceUnderModel } from './service-under-model.js';

interface Options {
  operations: number;
  concurrent: number;
  only?: 'histories' | 'concurrency' | 'phones';
  drives: number;
  seed: number;
  path?: string;
}

const PROGRESS_EVERY_MS = 10_000;
const INSTANCES = 2;
const SESSIONS_AT_ONCE = 8;

await new Command('npm run test:long --')
  .description(
    'Compares the real service, on a Redis and a Postgres of its own, with a model of the contract: call by call in random ' +
      'histories, and with concurrent clients by linearizability; and drives honest and dishonest phones. The exit code is 1 where they differ.',
  )
  .option('--operations <n>', 'calls in random histories', wholeNumber(1, 10_000_000), 100_000)
  .option('--concurrent <n>', 'calls of concurrent clients', wholeNumber(1, 1_000_000), 10_000)
  .option('--drives <n>', 'drives of each kind of phone', wholeNumber(1, 1_000_000), 2_000)
  .addOption(new Option('--only <part>', 'one of the three').choices(['histories', 'concurrency', 'phones']))
  .option('--seed <n>', 'of an earlier run', wholeNumber(0, 2 ** 31 - 1), Date.now() % 2 ** 31)
  .option('--path <text>', 'of one history that failed, with its seed')
  .action((options: Options) => runWithStack({}, (stack) => run(stack, options)))
  .parseAsync();

async function run(stack: Stack, options: Options): Promise<number> {
  const parts = { histories: runHistories, concurrency: runConcurrency, phones: runPhones };
  for (const [name, part] of Object.entries(parts)) {
    if (options.only !== undefined && options.only !== name) continue;
    const startedMs = performance.now();
    const failure = await part(stack, options);
    console.log(`${failure ?? 'no difference'}; ${((performance.now() - startedMs) / 1_000).toFixed(0)} s`);
    if (failure !== null) return 1;
  }
  return 0;
}

async function runHistories(stack: Stack, { operations, seed, path }: Options): Promise<string | null> {
  console.log(`random histories: ${operations} calls, seed ${seed}`);
  const real = await RealJourneys.start(stack);
  const onProgress = progressOf(operations);
  const result = await runRandomHistories(real, { operations, seed, path, onProgress });
  const { histories, inconclusive } = result;
  console.log(`${result.operations} calls in ${histories} histories, ${inconclusive} of them ended by a 503`);
  return result.failure;
}

async function runConcurrency(stack: Stack, { concurrent, seed }: Options): Promise<string | null> {
  console.log(`concurrent clients: ${concurrent} calls, ${INSTANCES} processes, seed ${seed}`);
  const service = await ServiceUnderModel.start(stack, {
    ...{ instances: INSTANCES, asProcesses: true, settings: hurriedSettings },
  });
  const { failure, operations, histories, unanswered, overlapping } = await runConcurrentHistories(service, {
    ...{ operations: concurrent, instances: INSTANCES, seed, atOnce: SESSIONS_AT_ONCE },
    onProgress: progressOf(concurrent),
  });
  console.log(
    `${operations} calls to ${histories} sessions, ${unanswered} without an answer, ${overlapping} overlapping pairs`,
  );
  return failure;
}

async function runPhones(stack: Stack, { drives, seed }: Options): Promise<string | null> {
  const redis = withScripts(
    new Redis((await stack.startRedis()).url, { enableAutoPipelining: true }),
    contractRules,
  );
  try {
    for (const [name, property] of Object.entries(phones)) {
      console.log(`${name}: ${drives} drives, seed ${seed}`);
      const wrong = await holds(property, redis, drives, seed);
      if (wrong !== null) return wrong;
    }
    return null;
  } finally {
    redis.disconnect();
  }
}

function progressOf(all: number): (progress: { operations: number }) => void {
  let shownMs = performance.now();
  return ({ operations }) => {
    if (performance.now() - shownMs < PROGRESS_EVERY_MS) return;
    shownMs = performance.now();
    say(`  ${operations} of ${all} calls`);
  };
}
