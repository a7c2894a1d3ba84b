import { z } from 'zod';
import { flag, integer, name, text, url } from './fields.js';

export const redisFields = {
  REDIS_URL: url(['redis:', 'rediss:'], 'redis://127.0.0.1:6379'),
  REDIS_PASSWORD: text().optional(),
  REDIS_CLUSTER: flag(false),
  REDIS_PARTITIONS: integer(1, 1_024, 64),
  REDIS_SENTINELS: z
    .string()
    .regex(/^[\w.-]+:\d+(,\s*[\w.-]+:\d+)*$/, 'must be addresses, for example 10.0.0.1:26379,10.0.1.1:26379')
    .optional(),
  REDIS_SENTINEL_NAME: name('the name of the primary').default('mymaster'),
  REDIS_SENTINEL_PASSWORD: text().optional(),
  REDIS_WAIT_REPLICAS: integer(0, 10, 0),
  REDIS_COMMAND_TIMEOUT_MS: integer(10, 800, 500),
};

export interface RedisConfig {
  url: string;
  /** Number of partitions of a cluster's keys; null for a single Redis. */
  partitions: number | null;
  /** Null: the URL is the address of the primary. */
  sentinels: {
    addresses: { host: string; port: number }[];
    name: string;
    password: string | undefined;
  } | null;
  /** Replicas that must have a start or an end before the caller gets a response. */
  waitReplicas: number;
  commandTimeoutMs: number;
}

type Environment = Record<string, string | undefined>;

type Parsed = z.output<z.ZodObject<typeof redisFields>>;

export function redisSettings(env: Parsed): RedisConfig {
  return {
    url: urlWithPassword(env.REDIS_URL, env.REDIS_PASSWORD),
    partitions: env.REDIS_CLUSTER ? env.REDIS_PARTITIONS : null,
    sentinels: parseSentinels(env),
    waitReplicas: env.REDIS_WAIT_REPLICAS,
    commandTimeoutMs: env.REDIS_COMMAND_TIMEOUT_MS,
  };
}

function parseSentinels(env: Parsed): RedisConfig['sentinels'] {
  if (env.REDIS_SENTINELS === undefined) return null;
  const addresses = env.REDIS_SENTINELS.split(',').map((address) => {
    const [host = '', port] = address.trim().split(':');
    return { host, port: Number(port) };
  });
  return { addresses, name: env.REDIS_SENTINEL_NAME, password: env.REDIS_SENTINEL_PASSWORD };
}

/** The password has a setting of its own because it is a secret and the address is not. */
function urlWithPassword(address: string, password: string | undefined): string {
  if (password === undefined) return address;
  const withPassword = new URL(address);
  withPassword.password = encodeURIComponent(password);
  return withPassword.href;
}

/** Problems of valid settings that contradict each other. */
export function redisProblems(environment: Environment): string[] {
  const { REDIS_URL = '', REDIS_PASSWORD, REDIS_CLUSTER } = environment;
  const problems: string[] = [];
  if (REDIS_CLUSTER === 'true' && environment['REDIS_SENTINELS'] !== undefined)
    problems.push('REDIS_SENTINELS must not be set if REDIS_CLUSTER is true');
  if (REDIS_CLUSTER === 'true' && Number(environment['REDIS_WAIT_REPLICAS'] ?? 0) > 0)
    problems.push('REDIS_WAIT_REPLICAS must be 0 if REDIS_CLUSTER is true');
  if (!URL.canParse(REDIS_URL)) return problems;
  const { password, pathname } = new URL(REDIS_URL);
  if (password !== '' && REDIS_PASSWORD !== undefined)
    problems.push('REDIS_PASSWORD must not be set if REDIS_URL contains a password');
  if (REDIS_CLUSTER === 'true' && !['', '/', '/0'].includes(pathname))
    problems.push('REDIS_URL must not contain a database number if REDIS_CLUSTER is true');
  return problems;
}
