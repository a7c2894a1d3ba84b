/** `npm run dev`: the service with everything around it, started from nothing. */
import { readDevOptions } from './dev-options.js';
import { DevStack } from './dev-stack.js';
import { Screen } from './terminal/screen.js';
import { onStopSignal } from './terminal/stop-signals.js';

const options = readDevOptions(process.argv.slice(2), process.env);
const screen = new Screen(process.stdout);
let isStopping = false;

const stop = (exitCode: number, why: string) => {
  if (isStopping) return;
  isStopping = true;
  screen.show(why);
  void dev.stop().finally(() => process.exit(exitCode));
};
const fail = (what: string, lastLines = '') => {
  if (isStopping) return;
  screen.fail(what, lastLines);
  stop(1, 'stopping');
};

const dev = new DevStack({ options, screen, onFailure: fail });
onStopSignal(() => {
  stop(0, 'stopping; Ctrl-C again to force');
});
// The terminal, or the program after a pipe, is gone.
process.stdout.on('error', () => {
  stop(0, '');
});
dev.start().catch((error: unknown) => {
  fail(error instanceof Error ? error.message : String(error));
});
