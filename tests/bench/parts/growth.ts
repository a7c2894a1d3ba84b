import type { Bench, RedisUnderTest } from '../bench.js';
import { saturationSettings, type Contender } from '../contender-process.js';
import { ours } from '../contenders/registry.js';
import { residentMebibytes } from '../cpu-time.js';
import { atMost } from '../report/bar.js';
import type { PartReport } from '../report/part-report.js';
import { median, ratios, withSpread } from '../report/statistics.js';
import { measureRound, secondsOf } from './round.js';

const FEW = 1_000;
const MANY = 100_000;
const LIMIT = 1.1;
const CALLS = ['update', 'live'] as const;

interface Side {
  journeys: number;
  redis: RedisUnderTest;
  service: Contender;
  /** Where the next round goes on, so that they come round to all. */
  nextJourney: number;
  micros: Record<(typeof CALLS)[number], { service: number[]; redis: number[] }>;
}

/** Whether a request costs the same when there are a hundred times as many journeys: two services, in turn. */
export async function measureGrowth(bench: Bench): Promise<PartReport> {
  const { rounds } = bench.options;
  const few = await startSide(bench, FEW);
  const many = await startSide(bench, MANY);
  const sides = [few, many];
  for (let round = 0; round <= rounds; round++) {
    for (const side of sides) await measureSide(bench, side, round);
  }
  const rows = sides.map(({ journeys, micros, service }) => ({
    journeys: String(journeys),
    'update, service CPU µs': withSpread(micros.update.service, 1),
    'live, service CPU µs': withSpread(micros.live.service, 1),
    'update, Redis CPU µs': withSpread(micros.update.redis, 1),
    'live, Redis CPU µs': withSpread(micros.live.redis, 1),
    'RSS, MiB': residentMebibytes(service.pid).toFixed(0),
  }));
  const bars = CALLS.map((call) =>
    atMost(
      `${call}: service CPU at ${MANY} journeys against ${FEW}`,
      median(ratios(many.micros[call].service, few.micros[call].service)),
      LIMIT,
      '×',
    ),
  );
  for (const { service, redis } of sides) {
    await service.stop();
    await redis.stop();
  }
  const notes = ['Requests go over all journeys in turn, with the tokens of each.'];
  return { title: 'Cost as the work grows', rows, bars, notes };
}

async function startSide(bench: Bench, journeys: number): Promise<Side> {
  const redis = await bench.startRedisWithJourneys(journeys);
  const service = await bench.start(ours, redis, saturationSettings);
  bench.say(`warming up with ${journeys} journeys`);
  await measureRound(bench, service, redis, { requests: 'mix', journeys, seconds: 2, untilAllHadOne: true });
  const none = () => ({ service: [], redis: [] });
  return { journeys, redis, service, nextJourney: 0, micros: { update: none(), live: none() } };
}

/** The polls are for the journeys that were updated right before. */
async function measureSide(bench: Bench, side: Side, round: number): Promise<void> {
  const { rounds } = bench.options;
  const seconds = secondsOf(round, bench.options);
  const { journeys, redis, service, micros, nextJourney: firstJourney } = side;
  for (const requests of CALLS) {
    const measured = await measureRound(bench, service, redis, { requests, journeys, seconds, firstJourney });
    if (requests === 'update') side.nextJourney = measured.nextJourney;
    const which = round === 0 ? 'warm-up' : `round ${round} of ${rounds}`;
    bench.say(`growth, ${which}: ${journeys} journeys, ${requests} ${measured.serviceMicros.toFixed(1)} µs`);
    if (round === 0) continue;
    micros[requests].service.push(measured.serviceMicros);
    micros[requests].redis.push(measured.redisMicros);
  }
}
