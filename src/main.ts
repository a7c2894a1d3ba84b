import { startService, type Service } from './app.js';
import { ConfigError, readConfig, type Config } from './config.js';

/** Below the 30 s after which ECS kills the process, so that a stop that hangs is logged. */
const STOP_TIMEOUT_MS = 25_000;

const config = configOrExit();
let service: Service | null = null;
let isStopping = false;

// Before the start: as process 1 of a container, node ignores SIGTERM without a handler.
stopOn('SIGTERM', config.shutdownDelayMs);
stopOn('SIGINT', 0);

service = await startService(config).catch((error: unknown) => {
  const reason = error instanceof Error ? error.message : String(error);
  process.stderr.write(`admin-service cannot start: ${reason}\n`);
  process.exit(1);
});

function configOrExit(): Config {
  try {
    return readConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

function stopOn(signal: NodeJS.Signals, delayMs: number): void {
  process.on(signal, () => {
    // A second Ctrl-C exits at once.
    if (isStopping && signal === 'SIGINT') process.exit(130);
    if (isStopping) return;
    isStopping = true;
    // Nothing is served during the start, so there is nothing to finish.
    if (service === null) process.exit(0);
    const { logger } = service;
    setTimeout(() => {
      logger.error('stop timed out');
      process.exit(1);
    }, STOP_TIMEOUT_MS).unref();
    service.stop(delayMs).then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'stop failed');
        process.exit(1);
      },
    );
  });
}
