import { z } from 'zod';
import { filled, flag, url, whole, word } from './fields.js';

/** What says where Redis is and how it is used. */
export const redisFields = {
  REDIS_URL: url(['redis:', 'rediss:'], 'redis://127.0.0.1:6379'),
  REDIS_PASSWORD: filled().optional(),
  REDIS_CLUSTER: flag(false),
  REDIS_PARTITIONS: whole(1, 1_024, 64),
  REDIS_SENTINELS: z
    .string()
    .regex(/^[\w.-]+:\d+(,\s*[\w.-]+:\d+)*$/, 'must be addresses such as 10.0.0.1:26379,10.0.1.1:26379')
    .optional(),
  REDIS_SENTINEL_NAME: word('the name that the sentinels know').default('mymaster'),
  REDIS_SENTINEL_PASSWORD: filled().optional(),
  REDIS_WAIT_REPLICAS: whole(0, 10, 0),
  REDIS_COMMAND_TIMEOUT_MS: whole(10, 800, 500),
};

export interface RedisConfig {
  url: string;
  /** Of a cluster's keys; null: it is one Redis. */
  partitions: number | null;
  /** Who say where the primary is; null: the URL does. */
  sentinels: {
    addresses: { host: string; port: number }[];
    name: string;
    password: string | undefined;
  } | null;
  /** On how many replicas a start or an end is before it is acknowledged. */
  waitReplicas: number;
  commandTimeoutMs: number;
}

type Given = Record<string, string | undefined>;

type Fields = z.output<z.ZodObject<typeof redisFields>>;

export function redisSettings(env: Fields): RedisConfig {
  return {
    url: urlWithPassword(env.REDIS_URL, env.REDIS_PASSWORD),
    partitions: env.REDIS_CLUSTER ? env.REDIS_PARTITIONS : null,
    sentinels: sentinelsOf(env),
    waitReplicas: env.REDIS_WAIT_REPLICAS,
    commandTimeoutMs: env.REDIS_COMMAND_TIMEOUT_MS,
  };
}

function sentinelsOf(env: Fields): RedisConfig['sentinels'] {
  if (env.REDIS_SENTINELS === undefined) return null;
  const addresses = env.REDIS_SENTINELS.split(',').map((address) => {
    const [host = '', port] = address.trim().split(':');
    return { host, port: Number(port) };
  });
  return { addresses, name: env.REDIS_SENTINEL_NAME, password: env.REDIS_SENTINEL_PASSWORD };
}

/** A password by itself can be handed over as a secret, while the address is no secret. */
function urlWithPassword(text: string, password: string | undefined): string {
  if (password === undefined) return text;
  const url = new URL(text);
  url.password = encodeURIComponent(password);
  return url.href;
}

/** What is wrong with settings that are right each by itself. */
export function redisProblems(given: Given): string[] {
  const { REDIS_URL = '', REDIS_PASSWORD, REDIS_CLUSTER } = given;
  const problems: string[] = [];
  if (REDIS_CLUSTER === 'true' && given['REDIS_SENTINELS'] !== undefined)
    problems.push('REDIS_SENTINELS must not be set where REDIS_CLUSTER is true: a cluster watches itself');
  if (REDIS_CLUSTER === 'true' && Number(given['REDIS_WAIT_REPLICAS'] ?? 0) > 0)
    problems.push('REDIS_WAIT_REPLICAS must be 0 where REDIS_CLUSTER is true: it is for one primary');
  if (!URL.canParse(REDIS_URL)) return problems;
  const { password, pathname } = new URL(REDIS_URL);
  if (password !== '' && REDIS_PASSWORD !== undefined)
    problems.push('REDIS_PASSWORD must not be set where REDIS_URL has a password');
  if (REDIS_CLUSTER === 'true' && !['', '/', '/0'].includes(pathname))
    problems.push('REDIS_URL must not name a database where REDIS_CLUSTER is true: a cluster has only one');
  return problems;
}
