import type { z } from 'zod';
import { filled, flag, url, whole } from './fields.js';

/** What says where Redis is and how it is used. */
export const redisFields = {
  REDIS_URL: url(['redis:', 'rediss:'], 'redis://127.0.0.1:6379'),
  REDIS_PASSWORD: filled().optional(),
  REDIS_CLUSTER: flag(false),
  REDIS_PARTITIONS: whole(1, 1_024, 64),
  REDIS_COMMAND_TIMEOUT_MS: whole(10, 800, 500),
};

export interface RedisConfig {
  url: string;
  /** Of a cluster's keys; null: it is one Redis. */
  partitions: number | null;
  commandTimeoutMs: number;
}

type Given = Record<string, string | undefined>;

export function redisSettings(env: z.output<z.ZodObject<typeof redisFields>>): RedisConfig {
  return {
    url: urlWithPassword(env.REDIS_URL, env.REDIS_PASSWORD),
    partitions: env.REDIS_CLUSTER ? env.REDIS_PARTITIONS : null,
    commandTimeoutMs: env.REDIS_COMMAND_TIMEOUT_MS,
  };
}

/** A password by itself can be handed over as a secret, while the address is no secret. */
function urlWithPassword(text: string, password: string | undefined): string {
  if (password === undefined) return text;
  const url = new URL(text);
  url.password = encodeURIComponent(password);
  return url.href;
}

/** What is wrong with settings that are right each by itself. */
export function redisProblems({ REDIS_URL = '', REDIS_PASSWORD, REDIS_CLUSTER }: Given): string[] {
  if (!URL.canParse(REDIS_URL)) return [];
  const { password, pathname } = new URL(REDIS_URL);
  const problems: string[] = [];
  if (password !== '' && REDIS_PASSWORD !== undefined)
    problems.push('REDIS_PASSWORD must not be set where REDIS_URL has a password');
  if (REDIS_CLUSTER === 'true' && !['', '/', '/0'].includes(pathname))
    problems.push('REDIS_URL must not name a database where REDIS_CLUSTER is true: a cluster has only one');
  return problems;
}
