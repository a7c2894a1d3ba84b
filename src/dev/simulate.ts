/** `npm run simulate`: phones of many trainers and students against a deployment of the service. */
import { prepareDeployment } from './load/deployment.js';
import { OptionError, readOptions, type LoadOptions } from './load/options.js';
import { ProgressLine } from './load/progress.js';
import { makeReport } from './load/report.js';
import { reportText } from './load/report-text.js';
import { runLoad } from './load/run.js';
import { StopList } from './stop-list.js';
import { Screen } from './terminal/screen.js';
import { onStopSignal } from './terminal/stop-signals.js';

const exitCodes = { fine: 0, faults: 1, badOptions: 2, interrupted: 130 } as const;

const options = readOptions(process.argv.slice(2));
// Standard output is for the report alone.
const screen = new Screen(process.stderr);
const toStop = new StopList(screen.show.bind(screen));
const interrupted = new AbortController();
let isPreparing = true;
let isEnding = false;

onStopSignal((signal) => {
  interrupted.abort();
  screen.show(`${signal}: ending early; again to force`);
  if (isPreparing) end(exitCodes.interrupted);
});
// Nobody reads the report any more, but everything is still to be stopped.
process.stdout.on('error', () => undefined);

simulate(options).then(end, (error: unknown) => {
  const reason = error instanceof Error ? error.message : String(error);
  fail(reason, '', error instanceof OptionError ? exitCodes.badOptions : exitCodes.faults);
});

async function simulate(wanted: LoadOptions): Promise<number> {
  const onFailure = (what: string, lastLines: string) => {
    fail(what, lastLines, exitCodes.faults);
  };
  const deployment = await prepareDeployment(wanted, { screen, toStop, onFailure });
  isPreparing = false;
  const progress = new ProgressLine(screen);
  const onProgress: Parameters<typeof runLoad>[1]['onProgress'] = (phase, leftSeconds, recorder) => {
    progress.show(phase, recorder, [`${leftSeconds.toFixed(0)} s left`]);
  };
  const result = await runLoad(wanted, { ...deployment, onProgress }, interrupted.signal);
  const report = makeReport(result, deployment.url, wanted);
  screen.clearStatus();
  console.log(wanted.isJson ? JSON.stringify(report, null, 2) : reportText(report));
  return report.faults.length > 0 ? exitCodes.faults : exitCodes.fine;
}

function fail(what: string, lastLines: string, exitCode: number): void {
  if (isEnding) return;
  screen.fail(what, lastLines);
  end(exitCode);
}

function end(exitCode: number): void {
  if (isEnding) return;
  isEnding = true;
  screen.clearStatus();
  void toStop.stopAll().finally(() => process.exit(exitCode));
}
