import { residentMegabytes } from '../../support/process-usage.js';
import { say } from '../../support/stack.js';
import { median, milliseconds, percent, ratios, withSpread, type Spread } from '../../support/statistics.js';
import { productionSettings, type Bench } from '../bench.js';
import { UPDATE_INTERVAL_MS } from '../bench-journeys.js';
import type { Contender } from '../contenders/registry.js';
import type { LoadResult } from '../load/orders.js';
import { atMost, type Bar, type PartReport } from '../report/part-report.js';
import { failureCount, failureText, measure, sendEveryTokenOnce, type Measured } from './round.js';

const WARM_UP_SECONDS = 10;
const MEASURED_SECONDS = 60;
/** With another build to compare with; each round takes a minute and a half. */
const PAIRED_ROUNDS = 3;

const UPDATE_P99_MS = 250;
const SEEN_P95_MS = 100;
const MEGABYTES = 600;

interface Round extends Measured {
  megabytes: number;
}

/** Every student has a poll in flight that is answered when the trainer has moved; every trainer sends every 5 s. */
export async function measureWaiting(bench: Bench): Promise<PartReport> {
  const { service, floor, against } = bench.contenders;
  const contenders = against === undefined ? [service, floor] : [service, against];
  const rounds = against === undefined ? 1 : PAIRED_ROUNDS;
  const measured = new Map(contenders.map((contender): [Contender, Round[]] => [contender, []]));
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? contenders : contenders.toReversed();
    for (const contender of order) measured.get(contender)?.push(await measureOne(bench, contender));
  }
  const own = measured.get(service) ?? [];
  const cpu = (all: readonly Round[]) => all.map(({ serviceShare }) => serviceShare);
  return {
    title: `${bench.options.journeys} waiting polls on one core, an update of each every ${UPDATE_INTERVAL_MS / 1000} s`,
    rows: [...measured].map(([contender, all]) => ({
      ...rowOf(contender, all),
      ...(against !== undefined && {
        'admin-service against it':
          contender === service ? '' : `${withSpread(ratios(cpu(own), cpu(all)), 2)}×`,
      }),
    })),
    bars: barsOf(own),
    notes: against === undefined ? ['The floor has nothing but a table of responses by session.'] : [],
  };
}

async function measureOne(bench: Bench, contender: Contender): Promise<Round> {
  const { journeys } = bench.options;
  const running = await bench.start(contender, productionSettings);
  await sendEveryTokenOnce(bench, running);
  say(`${contender.name}: ${journeys} waiting polls for ${WARM_UP_SECONDS + MEASURED_SECONDS} s`);
  const measured = await measure(bench, running, {
    ...{ kind: 'waiting', port: running.port, journeys, intervalMs: UPDATE_INTERVAL_MS },
    ...{ warmUpSeconds: WARM_UP_SECONDS, seconds: MEASURED_SECONDS },
  });
  const megabytes = residentMegabytes(running.pid);
  await running.stop();
  say(`${contender.name}: ${percent(measured.serviceShare)} of its core`);
  return { ...measured, megabytes };
}

function rowOf({ name }: Contender, rounds: readonly Round[]): Record<string, string> {
  const of = (value: (round: Round) => number) => rounds.map(value);
  const times = (value: (result: LoadResult) => Spread | undefined) =>
    (['p50', 'p95', 'p99'] as const)
      .map((quantile) => milliseconds(median(of(({ result }) => value(result)?.[quantile] ?? NaN))))
      .join(' / ');
  const messages = ({ result }: Round) => result.answers + (result.seen?.count ?? 0);
  return {
    contender: name,
    'updates/s': withSpread(
      of(({ result }) => result.answers / result.seconds),
      0,
    ),
    'seen/s': withSpread(
      of(({ result }) => (result.seen?.count ?? 0) / result.seconds),
      0,
    ),
    'updates p50 / p95 / p99, ms': times(({ updates }) => updates),
    'seen after p50 / p95 / p99, ms': times(({ seen }) => seen),
    "the load's own delay": times(({ ownDelay }) => ownDelay),
    'of its core': withSpread(
      of(({ serviceShare }) => 100 * serviceShare),
      0,
    ),
    'CPU per message, µs': withSpread(
      of((round) => (round.serviceMicrosPerAnswer * round.result.answers) / messages(round)),
      0,
    ),
    'its core was busy': percent(median(of(({ stolenShare }) => stolenShare))),
    'Redis, of a core': percent(median(of(({ redisShare }) => redisShare))),
    unexpected: rounds.map(({ result }) => failureText(result)).join(', '),
    'RSS, MB': withSpread(
      of(({ megabytes }) => megabytes),
      0,
    ),
  };
}

function barsOf(rounds: readonly Round[]): Bar[] {
  const of = (value: (round: Round) => number) => median(rounds.map(value));
  const unexpected = rounds.reduce((sum, { result }) => sum + failureCount(result), 0);
  return [
    atMost(
      'waiting: position seen, p95',
      of(({ result }) => result.seen?.p95 ?? NaN),
      SEEN_P95_MS,
      ' ms',
    ),
    atMost(
      'waiting: update, p99',
      of(({ result }) => result.updates?.p99 ?? NaN),
      UPDATE_P99_MS,
      ' ms',
    ),
    atMost('waiting: unexpected answers', unexpected, 0, '', 0),
    atMost(
      'waiting: RSS',
      of(({ megabytes }) => megabytes),
      MEGABYTES,
      ' MB',
      0,
    ),
  ];
}
