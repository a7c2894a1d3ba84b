import type { RedisCommands } from './connection.js';
import { EXPIRIES_KEY, OUTBOX_KEY } from './keys.js';
import type { Partitions } from './partitions.js';

export interface Backlog {
  activeJourneys: number;
  outboxDepth: number;
  outboxAgeSeconds: number;
}

/** How much waits in all partitions together, and since when: for the metrics. */
export async function readBacklog(redis: RedisCommands, { tags }: Partitions): Promise<Backlog> {
  const [time, ...partitions] = await Promise.all([
    redis.time(),
    ...tags.map((tag) => readPartition(redis, tag)),
  ]);
  const oldestMs = Math.min(...partitions.map((partition) => partition.oldestMs));
  const nowMs = Number(time[0]) * 1000 + Number(time[1]) / 1000;
  return {
    activeJourneys: sum(partitions.map((partition) => partition.activeJourneys)),
    outboxDepth: sum(partitions.map((partition) => partition.outboxDepth)),
    outboxAgeSeconds: Math.max(0, nowMs - oldestMs) / 1000,
  };
}

async function readPartition(redis: RedisCommands, tag: string) {
  const [activeJourneys, outboxDepth, oldest] = await Promise.all([
    redis.zcard(tag + EXPIRIES_KEY),
    redis.xlen(tag + OUTBOX_KEY),
    redis.xrange(tag + OUTBOX_KEY, '-', '+', 'COUNT', 1),
  ]);
  const oldestMs = oldest[0] === undefined ? Infinity : Number(oldest[0][0].split('-')[0]);
  return { activeJourneys, outboxDepth, oldestMs };
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
