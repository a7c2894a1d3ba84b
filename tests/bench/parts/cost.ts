import type { Spread } from '../../../src/dev/load/measurements.js';
import { saturationSettings, type Contender } from '../contender-process.js';
import type { Bench, RedisUnderTest } from '../bench.js';
import { contenders, floor, ours, type ContenderName } from '../contenders/registry.js';
import { residentMebibytes } from '../cpu-time.js';
import type { LoadResult, RequestKind } from '../load/orders.js';
import { costReport } from '../report/cost-report.js';
import type { PartReport } from '../report/part-report.js';
import { median } from '../report/statistics.js';
import { checkSameAnswers } from './same-answers.js';
import { measureRound, refreshPositions, refuseFailures, secondsOf, type Round } from './round.js';

export type CallGroup = 'update' | 'live' | 'mix';

/** What a kind of request costs each contender. */
export type Costs = Map<ContenderName, { rounds: Round[]; latency: Latency | undefined; mebibytes: number }>;

/** At 60 % load, in milliseconds from when a request was due. */
export interface Latency {
  perSecond: number;
  p50: number;
  p99: number;
}

/** Those that are measured one right after the other: a 304 needs the ETag of the 200 before it. */
const kindsOf: Record<CallGroup, readonly RequestKind[]> = {
  update: ['update'],
  live: ['live', 'unchanged'],
  mix: ['mix'],
};
const LOAD_SHARE = 0.6;
const LATENCY_SECONDS = 3;
const WARM_UP_SECONDS = 2;

/** Update, live and their mix: all contenders in turn. */
export async function measureCosts(bench: Bench, groups: readonly CallGroup[]): Promise<PartReport[]> {
  const redis = await bench.sharedRedis();
  const running: Contender[] = [];
  for (const kind of bench.options.isQuick ? [ours, floor] : contenders)
    running.push(await bench.start(kind, redis, saturationSettings));
  for (const contender of running) await warmUp(bench, contender, redis);
  const [service] = running;
  const peer = running.find(({ name }) => name === 'Fastify');
  if (service !== undefined && peer !== undefined) await checkSameAnswers(service, peer);
  const reports: PartReport[] = [];
  for (const group of groups) {
    const measurement = new CostMeasurement(bench, redis, running, group);
    await measurement.run();
    reports.push(...measurement.reports());
  }
  for (const contender of running) await contender.stop();
  return reports;
}

/** Compiled code, and where it matters every trainer's and student's token verified. */
async function warmUp(bench: Bench, contender: Contender, redis: RedisUnderTest): Promise<void> {
  bench.say(`warming up ${contender.name}`);
  await measureRound(bench, contender, redis, {
    requests: 'mix',
    journeys: bench.options.journeys,
    seconds: WARM_UP_SECONDS,
    untilAllHadOne: contender.kind.remembersTokens,
  });
}

class CostMeasurement {
  readonly #bench: Bench;
  readonly #redis: RedisUnderTest;
  readonly #contenders: readonly Contender[];
  readonly #kinds: readonly RequestKind[];
  readonly #costs: Map<RequestKind, Costs>;

  constructor(bench: Bench, redis: RedisUnderTest, running: readonly Contender[], group: CallGroup) {
    this.#bench = bench;
    this.#redis = redis;
    this.#contenders = running;
    this.#kinds = kindsOf[group];
    const none = () => ({ rounds: [], latency: undefined, mebibytes: 0 });
    this.#costs = new Map(
      this.#kinds.map((kind) => [kind, new Map(running.map(({ name }) => [name, none()]))]),
    );
  }

  async run(): Promise<void> {
    const { rounds } = this.#bench.options;
    for (let round = 0; round <= rounds; round++) {
      for (const contender of this.#contenders) await this.#turn(contender, round);
    }
    for (const contender of this.#contenders) await this.#sixtyPercent(contender);
  }

  reports(): PartReport[] {
    return this.#kinds.map((kind) => costReport(kind, this.#costsOf(kind)));
  }

  async #turn(contender: Contender, round: number): Promise<void> {
    const { rounds, journeys } = this.#bench.options;
    const seconds = secondsOf(round, this.#bench.options);
    if (this.#kinds.includes('live')) await this.#refresh();
    for (const requests of this.#kinds) {
      const measured = await measureRound(this.#bench, contender, this.#redis, {
        requests,
        journeys,
        seconds,
      });
      const which = round === 0 ? 'warm-up' : `round ${round} of ${rounds}`;
      this.#bench.say(`${requests}, ${which}: ${contender.name} ${lineOf(measured)}`);
      const cost = this.#costsOf(requests).get(contender.name);
      if (cost === undefined || round === 0) continue;
      cost.rounds.push(measured);
      cost.mebibytes = residentMebibytes(contender.pid);
    }
  }

  async #sixtyPercent(contender: Contender): Promise<void> {
    if (this.#bench.options.isQuick) return;
    if (this.#kinds.includes('live')) await this.#refresh();
    const { journeys } = this.#bench.options;
    for (const requests of this.#kinds) {
      const cost = this.#costsOf(requests).get(contender.name);
      if (cost === undefined) continue;
      const perSecond = LOAD_SHARE * median(cost.rounds.map((round) => round.perSecond));
      const result = await this.#bench.load.run({
        kind: 'randomArrivals',
        port: contender.port,
        ...{ requests, journeys, perSecond, seconds: LATENCY_SECONDS },
      });
      refuseFailures(contender, requests, result);
      const spread = slower(result);
      if (spread !== undefined) cost.latency = { perSecond, p50: spread.p50, p99: spread.p99 };
      this.#bench.say(
        `${requests} at 60 % load: ${contender.name} p50 ${spread?.p50} ms, p99 ${spread?.p99} ms`,
      );
    }
  }

  async #refresh(): Promise<void> {
    const [first] = this.#contenders;
    if (first !== undefined)
      await refreshPositions(this.#bench, first, this.#redis, this.#bench.options.journeys);
  }

  #costsOf(kind: RequestKind): Costs {
    return this.#costs.get(kind) ?? new Map<ContenderName, never>();
  }
}

/** Of the mix' two calls the one that takes longer. */
function slower({ updates, polls }: LoadResult): Spread | undefined {
  if (updates === undefined || polls === undefined) return updates ?? polls;
  return updates.p99 > polls.p99 ? updates : polls;
}

function lineOf({ perSecond, serviceMicros, redisMicros }: Round): string {
  return `${perSecond.toFixed(0)}/s at ${serviceMicros.toFixed(1)} µs (Redis ${redisMicros.toFixed(1)})`;
}
