import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, RedisUnderTest } from '../bench.js';
import { productionRules } from '../bench-journeys.js';
import type { BenchOptions } from '../command-line.js';
import type { Contender } from '../contender-process.js';
import type { LoadResult, RequestKind } from '../load/orders.js';
import { UsageMeter } from '../usage-meter.js';

const CONNECTIONS = 64;
const FIRST_ROUND_SECONDS = 3;

/** One contender at saturation. */
export interface Round {
  perSecond: number;
  serviceMicros: number;
  redisMicros: number;
  nextJourney: number;
}

export interface RoundOrder {
  requests: RequestKind;
  journeys: number;
  seconds: number;
  /** Goes on until each journey has had a request at least. */
  untilAllHadOne?: boolean;
  firstJourney?: number;
}

/** The first round, 0, is longer and not counted: code is compiled for this kind of request in it. */
export function secondsOf(round: number, { seconds }: BenchOptions): number {
  return round === 0 ? FIRST_ROUND_SECONDS : seconds;
}

/** @throws where an answer was none that was due: the figures would mean nothing */
export async function measureRound(
  { load }: Bench,
  contender: Contender,
  redis: RedisUnderTest,
  { requests, journeys, seconds, untilAllHadOne = false, firstJourney = 0 }: RoundOrder,
): Promise<Round> {
  const meter = new UsageMeter(contender, redis);
  const requestsOfAll = requests === 'mix' ? 2 * journeys : journeys;
  const result = await load.run(
    {
      kind: 'saturation',
      port: contender.port,
      connections: CONNECTIONS,
      ...{ requests, journeys, seconds, firstJourney },
      leastRequests: untilAllHadOne ? requestsOfAll : 0,
    },
    () => {
      meter.begin();
    },
  );
  const { serviceSeconds, redisSeconds } = meter.usage();
  refuseFailures(contender, requests, result);
  return {
    perSecond: result.answers / result.seconds,
    serviceMicros: (serviceSeconds * 1e6) / result.answers,
    redisMicros: (redisSeconds * 1e6) / result.answers,
    nextJourney: result.nextJourney,
  };
}

export function refuseFailures(contender: Contender, requests: string, { failures }: LoadResult): void {
  if (Object.keys(failures).length > 0)
    throw new Error(
      `${contender.name}, ${requests}: not all were answered as due: ${JSON.stringify(failures)}`,
    );
}

/**
 * Positions that are a few seconds old, as they are where trainers are on their way; and after it each trainer's token
 * has been there.
 */
export async function refreshPositions(
  bench: Bench,
  contender: Contender,
  redis: RedisUnderTest,
  journeys: number,
): Promise<void> {
  await measureRound(bench, contender, redis, {
    requests: 'update',
    journeys,
    seconds: 0,
    untilAllHadOne: true,
  });
}

/** Each trainer's and student's token has been there once, and the trainers' limits have forgotten it afterwards. */
export async function introduceAll(
  bench: Bench,
  service: Contender,
  redis: RedisUnderTest,
  journeys: number,
): Promise<void> {
  await sleep(productionRules.updateIntervalMs);
  await measureRound(bench, service, redis, { requests: 'mix', journeys, seconds: 0, untilAllHadOne: true });
  await sleep(productionRules.updateIntervalMs);
}
