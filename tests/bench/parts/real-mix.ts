import type { Bench } from '../bench.js';
import { productionRules } from '../bench-journeys.js';
import { floor, ours, type ContenderKind } from '../contenders/registry.js';
import { residentMebibytes } from '../cpu-time.js';
import type { LoadResult } from '../load/orders.js';
import { atMost, notMeasured, type Bar } from '../report/bar.js';
import type { PartReport, Row } from '../report/part-report.js';
import { median, milliseconds, percent } from '../report/statistics.js';
import { UsageMeter, type Usage } from '../usage-meter.js';
import { introduceAll } from './round.js';

const JOURNEYS = 10_000;
/** Once round. */
const WARM_UP_SECONDS = 6;
const MEASURED_SECONDS = 30;
const LOOK_EVERY_MS = 2_000;

const P99_LIMIT_MS = 25;
const CORE_LIMIT = 0.6;
/** 250 MB. */
const MEMORY_LIMIT_MIB = 238;
/** From the second quarter of a soak to its last. */
const GROWTH_LIMIT = 1.05;

interface Driven {
  result: LoadResult;
  usage: Usage;
  /** MiB, looked at while it was measured. */
  memory: number[];
}

/**
 * The service as in production: of each journey an update and a poll every 5 seconds, and its own rate limit. The
 * floor after it shows what such a rate, at which few requests share a turn of the event loop, costs Node alone.
 */
export async function measureRealMix(bench: Bench): Promise<PartReport> {
  const { soakMinutes, journeys: prepared } = bench.options;
  const journeys = Math.min(JOURNEYS, prepared);
  const seconds = Math.max(MEASURED_SECONDS, soakMinutes * 60);
  const service = await drive(bench, ours, journeys, seconds);
  const bare = await drive(bench, floor, journeys, MEASURED_SECONDS);
  return {
    title: `The mix of ${journeys} journeys as in production, on one core`,
    rows: [rowOf(ours, service), rowOf(floor, bare)],
    bars: barsOf(journeys, service, soakMinutes),
    notes: [
      `For ${seconds} s, the floor for ${MEASURED_SECONDS}, after ${WARM_UP_SECONDS} s of warming up. Latency counts from when a request was due, so it includes up to a millisecond of the load's own timer (${milliseconds(service.result.ownDelay?.p50)} ms at the median). Where the service was held off its core for more than a few per cent of the time, somebody else was at work there, and the times are theirs.`,
    ],
  };
}

async function drive(bench: Bench, kind: ContenderKind, journeys: number, seconds: number): Promise<Driven> {
  const redis = await bench.sharedRedis();
  const contender = await bench.start(kind, redis, {});
  await introduceAll(bench, contender, redis, journeys);
  bench.say(`the real mix: ${kind.name}, ${journeys} journeys for ${WARM_UP_SECONDS + seconds} s`);
  const meter = new UsageMeter(contender, redis);
  const memory: number[] = [];
  let isMeasuring = false;
  const looking = setInterval(() => {
    if (isMeasuring) memory.push(residentMebibytes(contender.pid));
  }, LOOK_EVERY_MS);
  const intervalMs = productionRules.updateIntervalMs;
  const target = { port: contender.port, journeys, intervalMs, warmUpSeconds: WARM_UP_SECONDS, seconds };
  const result = await bench.load
    .run({ kind: 'phones', ...target }, () => {
      isMeasuring = true;
      meter.begin();
    })
    .finally(() => {
      clearInterval(looking);
    });
  const usage = meter.usage();
  memory.push(residentMebibytes(contender.pid));
  await contender.stop();
  return { result, usage, memory };
}

function rowOf(kind: ContenderKind, { result, usage, memory }: Driven): Row {
  const { updates, polls, failures } = result;
  return {
    contender: kind.name,
    'requests/s': (result.answers / usage.seconds).toFixed(0),
    'of its core': percent(usage.serviceSeconds / usage.seconds),
    'CPU, µs': ((usage.serviceSeconds * 1e6) / result.answers).toFixed(1),
    'held off its core': percent(usage.heldOffSeconds / usage.seconds),
    'Redis, of a core': percent(usage.redisSeconds / usage.seconds),
    'updates p50 / p99, ms': `${milliseconds(updates?.p50)} / ${milliseconds(updates?.p99)}`,
    'polls p50 / p99, ms': `${milliseconds(polls?.p50)} / ${milliseconds(polls?.p99)}`,
    'not as due': Object.keys(failures).length === 0 ? 'none' : JSON.stringify(failures),
    'RSS, MiB': Math.max(...memory).toFixed(0),
  };
}

function barsOf(
  journeys: number,
  { result: { updates, polls, failures }, usage, memory }: Driven,
  soakMinutes: number,
): Bar[] {
  const what = `mix of ${journeys} journeys`;
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
  const bars = [
    atMost(`${what}: p99 of updates`, updates?.p99 ?? NaN, P99_LIMIT_MS, ' ms'),
    atMost(`${what}: p99 of polls`, polls?.p99 ?? NaN, P99_LIMIT_MS, ' ms'),
    atMost(`${what}: answers that were not as due`, failed, 0, '', 0),
    atMost(`${what}: share of the core`, usage.serviceSeconds / usage.seconds, CORE_LIMIT, ''),
    atMost(`${what}: RSS, the most seen`, Math.max(...memory), MEMORY_LIMIT_MIB, ' MiB', 0),
  ];
  const flat = `${what}: memory stays flat, last against second quarter`;
  if (soakMinutes === 0) return [...bars, notMeasured(flat, `≤ ${GROWTH_LIMIT}×`, 'use --soak 10')];
  const quarter = (which: number) =>
    median(memory.slice((which * memory.length) / 4, ((which + 1) * memory.length) / 4));
  return [...bars, atMost(`${flat}, ${soakMinutes} min`, quarter(3) / quarter(1), GROWTH_LIMIT, '×')];
}
