import { residentMegabytes } from '../../support/process-usage.js';
import { say } from '../../support/stack.js';
import { median, percent, ratios, withSpread } from '../../support/statistics.js';
import { saturationSettings, type Bench, type RunningContender } from '../bench.js';
import { atMost, type Bar, type PartReport } from '../report/part-report.js';
import { measureSaturated, type Measured } from './round.js';
import { checkSameAnswers } from './same-answers.js';

export type CallGroup = 'update' | 'live';
type CostKind = 'update' | 'live' | 'unchanged';

/** What is measured one right after the other: a 304 needs the ETag of the 200 before it. */
const kindsOf: Record<CallGroup, readonly CostKind[]> = { update: ['update'], live: ['live', 'unchanged'] };
const titles: Record<CostKind, string> = { update: 'Update', live: 'Live, 200', unchanged: 'Live, 304' };

const TIMES_FLOOR = 1.7;
const TIMES_FASTIFY = 1;
const WARM_UP_SECONDS = 3;

interface Rounds {
  name: string;
  rounds: Measured[];
  megabytes: number;
}

/** CPU per request at saturation: all contenders in turn, each round beginning with another one. */
export async function measureCosts(bench: Bench, groups: readonly CallGroup[]): Promise<PartReport[]> {
  const { service, floor, fastify, against } = bench.contenders;
  const contenders = bench.options.isQuick ? [service, floor] : [service, floor, fastify];
  const running: RunningContender[] = [];
  for (const contender of against === undefined ? contenders : [...contenders, against])
    running.push(await bench.start(contender, saturationSettings));
  for (const each of running) await warmUp(bench, each);
  const [ours] = running;
  const peer = running.find(({ contender }) => contender === fastify);
  if (ours !== undefined && peer !== undefined) await checkSameAnswers(ours, peer);
  const reports: PartReport[] = [];
  for (const group of groups) reports.push(...(await measureGroup(bench, running, group)));
  for (const each of running) await each.stop();
  return reports;
}

async function warmUp(bench: Bench, running: RunningContender): Promise<void> {
  say(`warming up ${running.contender.name}`);
  const leastRequests = running.contender.cachesTokens ? 2 * bench.options.journeys : 0;
  await measureSaturated(bench, running, { requests: 'mix', seconds: WARM_UP_SECONDS, leastRequests });
}

async function measureGroup(
  bench: Bench,
  running: readonly RunningContender[],
  group: CallGroup,
): Promise<PartReport[]> {
  const { rounds, seconds } = bench.options;
  const costs = new Map(
    kindsOf[group].map((kind) => [
      kind,
      running.map(({ contender: { name } }): Rounds => ({ name, rounds: [], megabytes: 0 })),
    ]),
  );
  // Round 0 compiles the code of this kind of request and does not count.
  for (let round = 0; round <= rounds; round++) {
    const first = round % running.length;
    for (const each of [...running.slice(first), ...running.slice(0, first)]) {
      if (group === 'live') await refreshPositions(bench, running, each);
      for (const [kind, all] of costs) {
        const measured = await measureSaturated(bench, each, { requests: kind, seconds });
        say(`${kind}, round ${round} of ${rounds}: ${each.contender.name} ${lineOf(measured)}`);
        const cost = all.find(({ name }) => name === each.contender.name);
        if (cost === undefined || round === 0) continue;
        cost.rounds.push(measured);
        cost.megabytes = residentMegabytes(each.pid);
      }
    }
  }
  return [...costs].map(([kind, all]) => reportOf(kind, all));
}

/** Positions a few seconds old, as in production, written by the build whose Redis it is. */
async function refreshPositions(
  bench: Bench,
  running: readonly RunningContender[],
  { redis }: RunningContender,
): Promise<void> {
  const writer = running.find((each) => each.redis === redis);
  const order = { requests: 'update', seconds: 0, leastRequests: bench.options.journeys } as const;
  if (writer !== undefined) await measureSaturated(bench, writer, order);
}

function reportOf(kind: CostKind, all: readonly Rounds[]): PartReport {
  const [ours] = all;
  const own = ours?.rounds.map(({ serviceMicrosPerAnswer }) => serviceMicrosPerAnswer) ?? [];
  const against = (rounds: readonly Measured[]) =>
    ratios(
      own,
      rounds.map(({ serviceMicrosPerAnswer }) => serviceMicrosPerAnswer),
    );
  const rows = all.map(({ name, rounds, megabytes }, index) => {
    const of = (value: (round: Measured) => number) => rounds.map(value);
    return {
      contender: name,
      'requests/s': withSpread(
        of(({ result }) => result.answers / result.seconds),
        0,
      ),
      'of its core': percent(median(of(({ serviceShare }) => serviceShare))),
      'service CPU, µs': withSpread(
        of(({ serviceMicrosPerAnswer }) => serviceMicrosPerAnswer),
        1,
      ),
      'Redis CPU, µs': withSpread(
        of(({ redisMicrosPerAnswer }) => redisMicrosPerAnswer),
        1,
      ),
      'admin-service against it': index === 0 ? '' : `${withSpread(against(rounds), 2)}×`,
      'RSS, MB': megabytes.toFixed(0),
    };
  });
  const bar = (name: string, what: string, limit: number): Bar[] =>
    all
      .filter((cost) => cost.name === name)
      .map(({ rounds }) =>
        atMost(`${titles[kind]}: CPU against ${what}`, median(against(rounds)), limit, '×'),
      );
  const bars = bar('floor', 'the floor', TIMES_FLOOR);
  if (kind === 'update') bars.push(...bar('Fastify', 'Fastify with the same features', TIMES_FASTIFY));
  return { title: titles[kind], rows, bars, notes: [] };
}

function lineOf({ result, serviceMicrosPerAnswer, redisMicrosPerAnswer }: Measured): string {
  const perSecond = result.answers / result.seconds;
  return `${perSecond.toFixed(0)}/s at ${serviceMicrosPerAnswer.toFixed(1)} µs (Redis ${redisMicrosPerAnswer.toFixed(1)})`;
}
