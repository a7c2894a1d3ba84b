import type { Logger } from 'pino';
import type { Metrics } from './metrics.js';

/** Tells of what becomes of events on their way to the bus, in metrics and log. */
export function relayRecorder(logger: Logger, metrics: Metrics) {
  return {
    published: (count: number) => {
      metrics.eventsPublished(count);
    },
    retried: (count: number, reason: string) => {
      metrics.eventsRetried(count);
      logger.warn({ count, reason }, 'events not published; they will be tried again');
    },
    died: ({ id, detailType }: { id: string; detailType: string }, reason: string) => {
      metrics.eventsDead(1);
      logger.error(
        { entry: id, detailType, reason },
        'EventBridge refused an event for good; it is in the dead-letter stream',
      );
    },
    outboxAway: (error: unknown) => {
      logger.warn({ err: error }, 'outbox away');
    },
  };
}
