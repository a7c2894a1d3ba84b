/** npm passes on what the terminal has sent already, so one Ctrl-C may arrive twice. */
const sameKeyPressMs = 500;
const forcedExitCode = 130;

/** Calls `stop` at the first SIGINT, SIGTERM or SIGHUP; a later one ends the process at once. */
export function onStopSignal(stop: (signal: NodeJS.Signals) => void): void {
  let firstMs: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (firstMs === undefined) {
        firstMs = performance.now();
        stop(signal);
      } else if (performance.now() - firstMs > sameKeyPressMs) process.exit(forcedExitCode);
    });
  }
}
