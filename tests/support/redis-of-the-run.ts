import { Redis } from 'ioredis';
import { sharedRedisUrl } from './shared-services.js';

let client: Redis | undefined;

/** A connection of the tests' own, to look at the keys as another service would. */
export function sharedRedis(): Redis {
  client ??= new Redis(sharedRedisUrl());
  return client;
}

/** The names that other services know; written out here, so that a change of the code's is seen. */
export const keyOf = {
  active: (sessionId: string) => `journey:active:${sessionId}`,
  location: (trainerId: string, sessionId: string) => `location:trainer:${trainerId}:session:${sessionId}`,
  rate: (trainerId: string) => `location:rate:${trainerId}`,
  ended: (sessionId: string) => `journey:ended:${sessionId}`,
  meta: (sessionId: string) => `session:meta:${sessionId}`,
};

export async function jsonAt(key: string): Promise<Record<string, unknown>> {
  const text = await sharedRedis().get(key);
  if (text === null) throw new Error(`no key ${key}`);
  return JSON.parse(text) as Record<string, unknown>;
}

export async function exists(key: string): Promise<boolean> {
  return (await sharedRedis().exists(key)) === 1;
}

/** All keys that match the pattern. */
export async function keysLike(pattern: string): Promise<string[]> {
  const keys = new Set<string>();
  for await (const batch of sharedRedis().scanStream({ match: pattern, count: 1000 })) {
    for (const key of batch as string[]) keys.add(key);
  }
  return [...keys].sort();
}

/** What stands in a key of any type, as text. */
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
