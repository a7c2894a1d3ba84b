import type { RedisCommands } from '../store/connection.js';
import type { Keys } from '../store/keys.js';
import type { Partitions } from '../store/partitions.js';
import type { JourneyScripts } from '../store/scripts.js';

/** What the commands read and change. */
export interface Operated {
  redis: RedisCommands & JourneyScripts;
  partitions: Partitions;
  journeyTtlSeconds: number;
  /** By Redis' clock. */
  nowMs: number;
}

/** The partition's name without the signs of a hash tag, such as j07; empty on a single Redis. */
export function partitionName({ tag }: Keys): string {
  return tag.replace(/[{}:]/g, '');
}

/** The results of all partitions in one list. */
export async function ofAllPartitions<Item>(
  { partitions }: Operated,
  read: (keys: Keys) => Promise<Item[]>,
): Promise<Item[]> {
  return (await Promise.all(partitions.all.map(read))).flat();
}
