/** `npm run test:faults`: see --help. */
import { Command } from 'commander';
import { Bench } from '../bench/bench.js';
import { measureOverload } from '../bench/parts/overload.js';
import { markdownTable } from '../support/markdown-table.js';
import { runWithStack, type Stack } from '../support/stack.js';
import { wholeNumber } from '../support/whole-number.js';
import { FaultRun, type FaultOptions } from './fault-run.js';
import { FaultStack } from './fault-stack.js';
import { faults } from './faults.js';
import { footprintTable, tableOf, violations } from './report.js';

interface Options {
  only?: string;
  times: number;
  journeys: number;
}

const OVERLOAD = 'overload';
const names = Object.values(faults)
  .flat()
  .map(({ name }) => name);

const command = new Command('npm run test:faults --')
  .description(
    'Brings about one fault after the other while journeys go on, on two processes of the built service and on a Redis, ' +
      'a Postgres and an event bus of its own. The exit code is 1 where something did not hold. Takes about 11 minutes.',
  )
  .option('--only <words>', 'faults with one of these words in their name or group, separated by commas')
  .option('--times <n>', 'how often each fault happens', wholeNumber(1, 1_000), 3)
  .option('--journeys <n>', 'at the same time', wholeNumber(10, 2_000), 150)
  .addHelpText(
    'after',
    `\nGroups: ${Object.keys(faults).join(', ')}\n${[...names, OVERLOAD].map((name) => `  ${name}`).join('\n')}`,
  )
  .action(async (options: Options) => {
    const words = options.only?.split(',').map((word) => word.trim().toLowerCase());
    const isWanted = (name: string, group: string) =>
      words === undefined || words.some((word) => word === group || name.toLowerCase().includes(word));
    const wanted = Object.entries(faults).flatMap(([group, all]) =>
      all.filter(({ name }) => isWanted(name, group)),
    );
    const withOverload = isWanted(OVERLOAD, OVERLOAD);
    if (wanted.length === 0 && !withOverload) command.error(`No fault has a name with ${options.only}.`);
    await runWithStack({}, (stack) => run(stack, { ...options, faults: wanted }, withOverload));
  });
await command.parseAsync();

async function run(stack: Stack, options: FaultOptions, withOverload: boolean): Promise<number> {
  const wrong: string[] = [];
  if (options.faults.length > 0) {
    const results = await new FaultRun(await FaultStack.start(stack), options).run();
    console.log(`${tableOf(results.rows)}\n\n${footprintTable(results)}`);
    wrong.push(...violations(results));
  }
  if (withOverload) {
    const options = { rounds: 1, seconds: 1, journeys: 2_000, node: process.execPath, isQuick: true };
    const { rows, bars } = await measureOverload(await Bench.start(stack, options));
    console.log(`\n${markdownTable(rows)}`);
    const missed = bars.filter(({ verdict }) => verdict !== 'ok');
    wrong.push(...missed.map(({ what, figure, limit }) => `${what}: ${figure}, expected ${limit}`));
  }
  console.log(wrong.length === 0 ? '\nEverything held.' : `\nDid not hold:\n  ${wrong.join('\n  ')}`);
  return wrong.length === 0 ? 0 : 1;
}
