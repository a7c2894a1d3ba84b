import type { Logger } from 'pino';
import type { Metrics } from './metrics.js';

export interface RedisReport {
  denied: string[];
  maxmemoryPolicy: string | undefined;
  version: string | undefined;
}

const OLDEST_VERSION = 7;

/** Records in metrics and the log what Redis lacks; called with each report that differs from the one before. */
export function redisRecorder(logger: Logger, metrics: Metrics) {
  let before: RedisReport | undefined;
  return (report: RedisReport): void => {
    const { denied, maxmemoryPolicy, version } = report;
    const hasRights = denied.length === 0;
    const isNoEviction = maxmemoryPolicy === undefined || maxmemoryPolicy === 'noeviction';
    const isCurrent = version === undefined || Number.parseInt(version) >= OLDEST_VERSION;
    if (!hasRights) logger.error({ denied }, 'redis user lacks rights');
    else if (before !== undefined && before.denied.length > 0) logger.info('redis user has all rights');
    if (!isNoEviction && before?.maxmemoryPolicy !== maxmemoryPolicy)
      logger.warn({ maxmemoryPolicy, required: 'noeviction' }, 'redis may evict journeys and events');
    if (!isCurrent && before?.version !== version)
      logger.warn({ version, oldest: `${OLDEST_VERSION}.0` }, 'redis is too old');
    metrics.redisChecked({ rights: hasRights, noeviction: isNoEviction, version: isCurrent });
    before = report;
  };
}
