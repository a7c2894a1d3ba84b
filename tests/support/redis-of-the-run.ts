import { crc32 } from 'node:zlib';
import { Cluster, Redis } from 'ioredis';
import { clusterClientOf } from './redis-cluster.js';
import { sharedRedisUrl, wantsCluster } from './shared-services.js';

let client: Redis | Cluster | undefined;

/** Reads the keys as another service would. */
export function sharedRedis(): Redis | Cluster {
  client ??= wantsCluster ? clusterClientOf(sharedRedisUrl()) : new Redis(sharedRedisUrl());
  return client;
}

/** The prefix of a session's keys in a cluster of 64 partitions. */
export function clusterTag(sessionId: string): string {
  return `{j${String(crc32(sessionId) % 64).padStart(2, '0')}}:`;
}

const tagOf = (sessionId: string) => (wantsCluster ? clusterTag(sessionId) : '');

/** Written out here, because other services depend on these names. */
export const keyOf = {
  active: (sessionId: string) => `${tagOf(sessionId)}journey:active:${sessionId}`,
  location: (trainerId: string, sessionId: string) =>
    `${tagOf(sessionId)}location:trainer:${trainerId}:session:${sessionId}`,
  /** Per trainer and partition in a cluster. */
  rate: (trainerId: string, sessionId: string) => `${tagOf(sessionId)}location:rate:${trainerId}`,
  ended: (sessionId: string) => `${tagOf(sessionId)}journey:ended:${sessionId}`,
  meta: (sessionId: string) => `${tagOf(sessionId)}session:meta:${sessionId}`,
  track: (sessionId: string) => `${tagOf(sessionId)}journey:track:${sessionId}`,
  timeline: (sessionId: string) => `${tagOf(sessionId)}journey:timeline:${sessionId}`,
};

/** The channel of a session's changes, with the database's number unless it is 0. */
export function channelOf(sessionId: string): string {
  const database = new URL(sharedRedisUrl()).pathname.slice(1) || '0';
  return `journey:changes:${database === '0' ? '' : `${database}:`}${sessionId}`;
}

export async function jsonAt(key: string): Promise<Record<string, unknown>> {
  const text = await sharedRedis().get(key);
  if (text === null) throw new Error(`no key ${key}`);
  return JSON.parse(text) as Record<string, unknown>;
}

export async function exists(key: string): Promise<boolean> {
  return (await sharedRedis().exists(key)) === 1;
}

export async function keysLike(pattern: string): Promise<string[]> {
  const redis = sharedRedis();
  const match = wantsCluster && !pattern.startsWith('*') ? `{j*}:${pattern}` : pattern;
  const keys = new Set<string>();
  for (const node of redis instanceof Cluster ? redis.nodes('master') : [redis]) {
    for await (const batch of node.scanStream({ match, count: 1000 })) {
      for (const key of batch as string[]) keys.add(key);
    }
  }
  return [...keys].sort();
}

/** The value of a key of any type as text. */
export async function contentOf(key: string): Promise<string> {
  const redis = sharedRedis();
  const type = await redis.type(key);
  switch (type) {
    case 'string':
      return (await redis.get(key)) ?? '';
    case 'hash':
      return JSON.stringify(await redis.hgetall(key));
    case 'zset':
      return JSON.stringify(await redis.zrange(key, '0', '-1'));
    case 'set':
      return JSON.stringify(await redis.smembers(key));
    case 'list':
      return JSON.stringify(await redis.lrange(key, 0, -1));
    case 'stream':
      return JSON.stringify(await redis.xrange(key, '-', '+'));
    default:
      return '';
  }
}

afterAll(async () => {
  await client?.quit();
  client = undefined;
});
