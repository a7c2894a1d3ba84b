/** `npm run simulate`: the phones of thousands of trainers and students, against any deployment of the service. */
import { helpText, readCommandLine, type LoadOptions } from './load/command-line.js';
import { optionErrors, OptionError, prepareDeployment } from './load/deployment.js';
import { LoadRun } from './load/load-run.js';
import { connectionsLimit } from './load/open-files.js';
import { progressOn } from './load/progress-line.js';
import { makeReport } from './load/report.js';
import { reportText } from './load/report-text.js';
import { whenNpmIsGone } from './npm-watch.js';
import { startReaper } from './servers/reaper.js';
import { StopList } from './stop-list.js';
import { Screen } from './terminal/screen.js';

const keptLastLines = 10;
/** One Ctrl-C arrives twice where npm passes on what the terminal has sent already. */
const sameKeyPressMs = 300;
const exitCodes = { fine: 0, wrong: 1, badOptions: 2, interrupted: 130 } as const;

/** From the options to the exit code: prepares, drives, reports, and leaves nothing behind. */
class Simulation {
  readonly #options: LoadOptions;
  // Standard output is for the result alone.
  readonly #screen = new Screen(process.stderr, false);
  readonly #reaper = startReaper();
  readonly #toStop = new StopList((line) => {
    this.#screen.show(line);
  });
  readonly #interrupted = new AbortController();
  #interruptedMs = 0;
  #isPreparing = true;
  #isEnding = false;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  run(): void {
    this.#work().then(
      (exitCode) => {
        this.#end(exitCode);
      },
      (error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        this.#fail(reason, '', error instanceof OptionError ? exitCodes.badOptions : exitCodes.wrong);
      },
    );
  }

  /** Ends the run early: what was measured so far is reported all the same. */
  interrupt(why: string): void {
    if (this.#interrupted.signal.aborted) {
      // Whoever presses Ctrl-C again does not want to wait; the reaper does the rest.
      if (performance.now() - this.#interruptedMs > sameKeyPressMs) process.exit(exitCodes.interrupted);
      return;
    }
    this.#interrupted.abort();
    this.#interruptedMs = performance.now();
    this.#screen.tell(`ending, because ${why}; Ctrl-C again to force`);
    if (this.#isPreparing) this.#end(exitCodes.interrupted);
  }

  async #work(): Promise<number> {
    const options = this.#options;
    const mostConnections = optionErrors(() => connectionsLimit(options));
    const onFailure = (what: string, lastLines: string) => {
      this.#fail(what, lastLines, exitCodes.wrong);
    };
    const parts = { screen: this.#screen, reaper: this.#reaper, toStop: this.#toStop, onFailure };
    const deployment = await prepareDeployment(options, parts);
    this.#isPreparing = false;
    const onProgress = progressOn(this.#screen);
    const load = new LoadRun({ ...options, mostConnections }, { ...deployment, onProgress });
    const report = makeReport(await load.run(this.#interrupted.signal), deployment.url, options);
    this.#screen.status('');
    console.log(options.isJson ? JSON.stringify(report, null, 2) : reportText(report));
    return report.wrong.length > 0 ? exitCodes.wrong : exitCodes.fine;
  }

  #fail(what: string, lastLines: string, exitCode: number): void {
    if (this.#isEnding) return;
    const lines = lastLines.split('\n').filter(Boolean).slice(-keptLastLines);
    this.#screen.show([what, ...lines].join('\n  '));
    this.#end(exitCode);
  }

  #end(exitCode: number): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#screen.status('');
    void this.#toStop.stopAll().finally(() => {
      this.#reaper.close();
      process.exit(exitCode);
    });
  }
}

const commandLine = readCommandLine(process.argv.slice(2), process.env);
switch (commandLine.kind) {
  case 'help':
    console.log(helpText);
    break;
  case 'wrong':
    console.error(`${commandLine.reason}\nnpm run simulate -- --help says what there is.`);
    process.exitCode = exitCodes.badOptions;
    break;
  case 'run':
    simulate(commandLine.options);
}

function simulate(options: LoadOptions): void {
  const simulation = new Simulation(options);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      simulation.interrupt(`of ${signal}`);
    });
  }
  // Whoever read the result has gone: nothing is left to be told, but all is still to be stopped.
  process.stdout.on('error', () => undefined);
  let isNpmGone = false;
  whenNpmIsGone(() => {
    if (!isNpmGone) simulation.interrupt('npm is gone');
    isNpmGone = true;
  });
  simulation.run();
}
