import { crc32 } from 'node:zlib';

/**
 * In a Redis Cluster all keys of one session stand behind the tag of its partition, which puts them into one slot: a
 * script may touch no other. What is one for all journeys on a single Redis (deadlines, outbox) is one a partition there.
 */
export class Partitions {
  /** What stands in front of a partition's names: one that is empty on a single Redis. */
  readonly tags: readonly string[];

  /** count: fixed for a deployment, as another puts sessions' keys elsewhere; null for a single Redis. */
  constructor(count: number | null) {
    this.tags =
      count === null
        ? ['']
        : Array.from({ length: count }, (_, number) => `{j${String(number).padStart(2, '0')}}:`);
  }

  /** CRC-32 (ISO 3309), which every language has, so that other services find a session's keys as well. */
  tagOf(sessionId: string): string {
    const { tags } = this;
    return (tags.length === 1 ? tags[0] : tags[crc32(sessionId) % tags.length]) ?? '';
  }
}

export const SINGLE_REDIS = new Partitions(null);
