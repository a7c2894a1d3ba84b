import type { Logger } from 'pino';
import type { Metrics } from './metrics.js';

const OLDEST_VERSION = 7;

interface RedisReport {
  denied: string[];
  maxmemoryPolicy: string | undefined;
  version: string | undefined;
}

/** Records in metrics and the log what Redis lacks. Called with each report that differs from the one before. */
export function redisRecorder(logger: Logger, metrics: Metrics) {
  return ({ denied, maxmemoryPolicy = 'noeviction', version = `${OLDEST_VERSION}` }: RedisReport): void => {
    const [rights, noeviction] = [denied.length === 0, maxmemoryPolicy === 'noeviction'];
    const isCurrent = Number.parseInt(version) >= OLDEST_VERSION;
    if (rights) logger.info({ version }, 'redis user has all rights');
    else logger.error({ denied }, 'redis user lacks rights');
    if (!noeviction) logger.warn({ maxmemoryPolicy }, 'redis may evict journeys and events');
    if (!isCurrent) logger.warn({ version, oldest: OLDEST_VERSION }, 'redis is too old');
    metrics.redisChecked({ rights, noeviction, version: isCurrent });
  };
}
