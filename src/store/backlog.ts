import type { RedisCommands } from './connection.js';
import type { Keys } from './keys.js';
import type { Partitions } from './partitions.js';

export interface Backlog {
  activeJourneys: number;
  outboxDepth: number;
  outboxAgeSeconds: number;
}

/** For the metrics: the backlog of all partitions together. */
export async function readBacklog(redis: RedisCommands, { all }: Partitions): Promise<Backlog> {
  const [time, ...partitions] = await Promise.all([
    redis.time(),
    ...all.map((keys) => readPartition(redis, keys)),
  ]);
  const oldestMs = Math.min(...partitions.map((partition) => partition.oldestMs));
  const nowMs = Number(time[0]) * 1000 + Number(time[1]) / 1000;
  return {
    activeJourneys: sum(partitions.map((partition) => partition.activeJourneys)),
    outboxDepth: sum(partitions.map((partition) => partition.outboxDepth)),
    outboxAgeSeconds: Math.max(0, nowMs - oldestMs) / 1000,
  };
}

async function readPartition(redis: RedisCommands, keys: Keys) {
  const [activeJourneys, oldJourneys, outboxDepth, oldest] = await Promise.all([
    redis.zcard(keys.expiries),
    redis.zcard(keys.oldExpiries),
    redis.xlen(keys.outbox),
    redis.xrange(keys.outbox, '-', '+', 'COUNT', 1),
  ]);
  const oldestMs = oldest[0] === undefined ? Infinity : Number(oldest[0][0].split('-')[0]);
  return { activeJourneys: activeJourneys + oldJourneys, outboxDepth, oldestMs };
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
