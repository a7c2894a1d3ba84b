import { setTimeout as sleep } from 'node:timers/promises';
import { ProcessMeter } from '../../support/process-usage.js';
import type { Bench, RunningContender } from '../bench.js';
import { UPDATE_INTERVAL_MS } from '../bench-journeys.js';
import type { LoadOrder, LoadResult, RequestKind } from '../load/orders.js';

const CONNECTIONS = 64;

export interface Measured {
  result: LoadResult;
  /** Shares of a core. */
  serviceShare: number;
  redisShare: number;
  stolenShare: number;
  serviceMicrosPerAnswer: number;
  redisMicrosPerAnswer: number;
}

/** Runs an order against one contender and meters it and its Redis while the load measures. */
export async function measure(bench: Bench, running: RunningContender, order: LoadOrder): Promise<Measured> {
  const meters = [new ProcessMeter(running.pid), new ProcessMeter(running.redis.pid)];
  const result = await bench.load.run(order, () => {
    for (const meter of meters) meter.begin();
  });
  const [service, redis] = meters.map((meter) => meter.usage());
  if (service === undefined || redis === undefined) throw new Error('not metered');
  return {
    result,
    serviceShare: service.cpuSeconds / service.seconds,
    redisShare: redis.cpuSeconds / service.seconds,
    stolenShare: service.stolenSeconds / service.seconds,
    serviceMicrosPerAnswer: (service.cpuSeconds * 1e6) / result.answers,
    redisMicrosPerAnswer: (redis.cpuSeconds * 1e6) / result.answers,
  };
}

/** At saturation. @throws after an unexpected answer, since the figures would mean nothing */
export async function measureSaturated(
  bench: Bench,
  running: RunningContender,
  {
    requests,
    seconds,
    leastRequests = 0,
  }: { requests: RequestKind; seconds: number; leastRequests?: number },
): Promise<Measured> {
  const target = { port: running.port, journeys: bench.options.journeys, connections: CONNECTIONS };
  const measured = await measure(bench, running, {
    ...{ kind: 'saturation', ...target, requests, seconds, leastRequests },
  });
  const { failures } = measured.result;
  if (Object.keys(failures).length > 0)
    throw new Error(`${running.contender.name}, ${requests}: ${JSON.stringify(failures)}`);
  return measured;
}

/** Every token has been verified once, and afterwards the rate limit accepts an update of each trainer. */
export async function sendEveryTokenOnce(bench: Bench, running: RunningContender): Promise<void> {
  await sleep(UPDATE_INTERVAL_MS);
  const order = { requests: 'mix', seconds: 0, leastRequests: 2 * bench.options.journeys } as const;
  await measureSaturated(bench, running, order);
  await sleep(UPDATE_INTERVAL_MS);
}

export function failureCount({ failures }: LoadResult): number {
  return Object.values(failures).reduce((sum, count) => sum + count, 0);
}

export function failureText({ failures }: LoadResult): string {
  return Object.keys(failures).length === 0 ? 'none' : JSON.stringify(failures);
}
