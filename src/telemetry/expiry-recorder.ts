import type { Logger } from 'pino';
import type { Metrics } from './metrics.js';

/** Records the sweeper's results in metrics and the log. */
export function expiryRecorder(logger: Logger, metrics: Metrics) {
  return {
    onExpired: (count: number) => {
      metrics.journeysExpired(count);
    },
    onUntracked: (sessionId: string) => {
      logger.error({ sessionId }, 'journey expired without a readable record; no event recorded');
    },
    onError: (error: unknown) => {
      logger.warn({ err: error }, 'expiry sweep failed');
    },
  };
}
