/** `npm run dev`: the service and everything around it, from nothing, and nothing left of it afterwards. */
import { whenNpmIsGone } from './npm-watch.js';
import { Runner } from './runner.js';
import { startReaper } from './servers/reaper.js';
import { helpText, readCommandLine, type RunnerOptions } from './terminal/command-line.js';
import { Screen } from './terminal/screen.js';

const keptLastLines = 10;

const commandLine = readCommandLine(process.argv.slice(2), process.env);
switch (commandLine.kind) {
  case 'help':
    console.log(helpText);
    break;
  case 'wrong':
    console.error(`${commandLine.reason}\nnpm run dev -- --help says what there is.`);
    process.exitCode = 2;
    break;
  case 'run':
    run(commandLine.options);
}

function run(options: RunnerOptions): void {
  const reaper = startReaper();
  const screen = new Screen(process.stdout, options.isQuiet);
  let isStopping = false;

  const stop = (exitCode: number, why: string) => {
    if (isStopping) return;
    isStopping = true;
    screen.tell(why);
    void runner.stop().finally(() => {
      reaper.close();
      process.exit(exitCode);
    });
  };
  const fail = (what: string, lastLines = '') => {
    if (isStopping) return;
    screen.show([what, ...lastLines.split('\n').filter(Boolean).slice(-keptLastLines)].join('\n  '));
    stop(1, 'stopping');
  };

  const runner = new Runner({ options, screen, reaper, onFailure: fail });
  process.on('SIGINT', () => {
    // Whoever presses Ctrl-C again does not want to wait; the reaper does the rest.
    if (isStopping) process.exit(130);
    stop(0, 'stopping; Ctrl-C again to force');
  });
  process.on('SIGTERM', () => {
    stop(0, 'stopping');
  });
  process.on('SIGHUP', () => {
    stop(0, 'stopping');
  });
  // Nobody reads any more: the terminal, or the program after a pipe, is gone.
  process.stdout.on('error', () => {
    stop(0, '');
  });
  whenNpmIsGone(() => {
    stop(0, 'stopping, because npm is gone');
  });
  runner.start().catch((error: unknown) => {
    fail(error instanceof Error ? error.message : String(error));
  });
}
