import type { RedisConnections } from '../store/connections.js';
import type { Outbox } from './outbox.js';
import { PartitionedOutbox } from './partitioned-outbox.js';
import { SingleOutbox } from './single-outbox.js';

export interface OutboxDependencies {
  connections: Pick<RedisConnections, 'redis' | 'partitions' | 'single'>;
  /** This process' name in the consumer group. */
  consumer: string;
  /** Called when only some partitions could be read. */
  onPartlyAway: (error: unknown) => void;
}

export function createOutbox({ connections, consumer, onPartlyAway }: OutboxDependencies): Outbox {
  const { redis, partitions, single } = connections;
  return single === null
    ? new PartitionedOutbox({ redis, partitions, consumer, onPartlyAway })
    : new SingleOutbox({ ...single, consumer });
}
