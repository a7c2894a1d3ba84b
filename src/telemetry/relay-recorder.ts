import type { Logger } from 'pino';
import type { Metrics } from './metrics.js';

/** Records the relay's results in metrics and the log. */
export function relayRecorder(logger: Logger, metrics: Metrics) {
  return {
    published: (count: number) => {
      metrics.eventsPublished(count);
    },
    retried: (count: number, reason: string) => {
      metrics.eventsRetried(count);
      logger.warn({ count, reason }, 'events not published; retrying');
    },
    deadLettered: ({ id, detailType }: { id: string; detailType: string }, reason: string) => {
      metrics.eventsDead(1);
      logger.error({ entry: id, detailType, reason }, 'event rejected by EventBridge; dead-lettered');
    },
    outboxUnavailable: (error: unknown) => {
      logger.warn({ err: error }, 'outbox unavailable');
    },
  };
}
