import type { RedisConnections } from '../store/connections.js';
import type { Outbox } from './outbox.js';
import { PartitionedOutbox } from './partitioned-outbox.js';
import { SingleOutbox } from './single-outbox.js';

/**
 * consumer: this process' name in the consumer group.
 * onPartlyUnavailable: called when some partitions could not be read.
 */
export function createOutbox({
  connections: { redis, partitions, single },
  consumer,
  onPartlyUnavailable,
}: {
  connections: Pick<RedisConnections, 'redis' | 'partitions' | 'single'>;
  consumer: string;
  onPartlyUnavailable: (error: unknown) => void;
}): Outbox {
  return single === null
    ? new PartitionedOutbox({ redis, partitions, consumer, onPartlyUnavailable })
    : new SingleOutbox({ ...single, consumer });
}
