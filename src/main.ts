import { ConfigError, readConfig, type Config } from './config.js';
import { startService, type Service } from './app.js';

/** A stop that takes longer is cut: ECS would kill the process after 30 s, and nobody would know where it hung. */
const STOP_WITHIN_MS = 25_000;

function configOrExit(): Config {
  try {
    return readConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

const config = configOrExit();
/** Null until it has started. */
let service: Service | null = null;
let isStopping = false;
function stopOn(signal: NodeJS.Signals, delayMs: number): void {
  process.on(signal, () => {
    if (isStopping) {
      // Somebody who presses Ctrl-C twice means it.
      if (signal === 'SIGINT') process.exit(130);
      return;
    }
    isStopping = true;
    // Nothing is served before the start is through, so there is nothing to finish.
    if (service === null) process.exit(0);
    const { logger } = service;
    setTimeout(() => {
      logger.error('not stopped in time');
      process.exit(1);
    }, STOP_WITHIN_MS).unref();
    service.stop(delayMs).then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'stop failed');
        process.exit(1);
      },
    );
  });
}

// Before the start: without a handler a first process of a container, as this is in the image, ignores a SIGTERM.
stopOn('SIGTERM', config.shutdownDelayMs);
stopOn('SIGINT', 0);

service = await startService(config).catch((error: unknown) => {
  process.stderr.write(
    `admin-service cannot start: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exit(1);
});
