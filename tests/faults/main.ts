/** `npm run test:faults`: see helpText in command-line.ts. */
import { startReaper } from '../../src/dev/servers/reaper.js';
import { StopList } from '../../src/dev/stop-list.js';
import { helpText, readCommandLine, type FaultOptions } from './command-line.js';
import { FaultRun } from './fault-run.js';
import { overload } from './overload.js';
import { broken, brokenByOverload, footprintText, overloadText, tableOf } from './report.js';
import { Stack, type Surroundings } from './stack.js';

const say = (line: string): void => {
  console.error(line);
};

const commandLine = readCommandLine(process.argv.slice(2));
switch (commandLine.kind) {
  case 'help':
    console.log(helpText);
    break;
  case 'wrong':
    console.error(`${commandLine.reason}\nnpm run test:faults -- --help says what there is.`);
    process.exitCode = 2;
    break;
  case 'run':
    runAndCleanUp(commandLine.options);
}

function runAndCleanUp(options: FaultOptions): void {
  const reaper = startReaper();
  const toStop = new StopList(say);
  let isEnding = false;
  const end = (exitCode: number) => {
    if (isEnding) return;
    isEnding = true;
    void toStop.stopAll().finally(() => {
      reaper.close();
      process.exit(exitCode);
    });
  };
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => {
      end(exitCode);
    });
  }
  run(options, { reaper, toStop, say }).then(end, (error: unknown) => {
    // What was stopped under its hands is no failure.
    if (!isEnding) console.error(error);
    end(1);
  });
}

/** Returns the exit code. */
async function run(options: FaultOptions, surroundings: Surroundings): Promise<number> {
  const stack = await Stack.start(surroundings);
  surroundings.toStop.add(() => stack.heal());
  const wrong: string[] = [];
  if (options.faults.length > 0) {
    const results = await new FaultRun(stack, options, say).run();
    console.log(options.isJson ? JSON.stringify(results, null, 2) : tableOf(results.rows));
    if (!options.isJson) console.log(`\n${footprintText(results)}`);
    wrong.push(...broken(results));
  }
  if (options.withOverload) {
    const result = await overload(stack, surroundings);
    console.log(options.isJson ? JSON.stringify(result, null, 2) : `\n${overloadText(result)}`);
    wrong.push(...brokenByOverload(result));
  }
  console.log(wrong.length === 0 ? '\nall of it held' : `\ndid not hold:\n  ${wrong.join('\n  ')}`);
  return wrong.length === 0 ? 0 : 1;
}
