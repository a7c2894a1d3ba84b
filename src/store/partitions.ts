import { crc32 } from 'node:zlib';
import { Keys } from './keys.js';

/**
 * A script may touch one slot of a Redis Cluster, so all keys of a session carry the hash tag of its partition. What is
 * one for all journeys on a single Redis (expiries, outbox) is one per partition there.
 */
export class Partitions {
  readonly all: readonly Keys[];

  /** count: fixed for a deployment, because another number moves sessions' keys; null for a single Redis. */
  constructor(count: number | null) {
    this.all =
      count === null
        ? [new Keys()]
        : Array.from({ length: count }, (_, number) => new Keys(`{j${String(number).padStart(2, '0')}}:`));
  }

  get tags(): string[] {
    return this.all.map(({ tag }) => tag);
  }

  /** By CRC-32 (ISO 3309), which every language has, so that other services find a session's keys too. */
  keysOf(sessionId: string): Keys {
    const index = this.all.length === 1 ? 0 : crc32(sessionId) % this.all.length;
    return this.all[index] ?? new Keys();
  }
}

export const SINGLE_REDIS = new Partitions(null);
