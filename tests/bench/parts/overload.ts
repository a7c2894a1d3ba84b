import { setTimeout as pause } from 'node:timers/promises';
import { say } from '../../support/stack.js';
import { Durations, median, milliseconds, percent, type Spread } from '../../support/statistics.js';
import { burnServiceCore } from '../cores.js';
import { saturationSettings, type Bench, type RunningContender } from '../bench.js';
import type { LoadResult } from '../load/orders.js';
import { atLeast, atMost, type Bar, type PartReport } from '../report/part-report.js';
import { sendEveryTokenOnce } from './round.js';

const ROUNDS = 3;
const SECONDS = 5;
const CALLS = ['update', 'live'] as const;
/** Busy connections in a closed loop: whoever is answered, or refused, sends the next request at once. */
const CROWDS = [200, 1_000, 4_000, 8_000] as const;
/** Of the capacity, in an open loop. */
const OFFERED = [1.5, 3] as const;
const OPEN_LOOP_CONNECTIONS = 8_000;
/** The connections are opened: on a quarter of the core that takes some seconds. */
const OPEN_LOOP_WARM_UP_SECONDS = 8;
const QUARTER = '200 connections, a quarter of the core';
const HEALTH_EVERY_MS = 50;
const HEALTH_TIMEOUT_MS = 10_000;
const RECOVERY_MS = 5_000;
const ORDINARY_PER_SECOND = 200;

interface Observed {
  served: number;
  refusedShare: number;
  offered: number;
  latency: Spread | undefined;
  health: Spread | undefined;
  unexpected: string;
}

interface Round {
  loads: Map<string, Observed>;
  /** p99 of an ordinary load before and after the crowd, in milliseconds. */
  ordinaryMs: number;
  recoveredMs: number;
}

type Call = (typeof CALLS)[number];

/** What a process serves when more is asked of it than it can do. */
export async function measureOverload(bench: Bench): Promise<PartReport> {
  const { service, floor, fastify, against } = bench.contenders;
  const { isQuick } = bench.options;
  const rounds = isQuick ? 1 : ROUNDS;
  const others = isQuick ? [] : against === undefined ? [floor, fastify] : [against];
  const rows: Record<string, string>[] = [];
  const bars: Bar[] = [];
  for (const call of CALLS) {
    const own: Round[] = [];
    for (let round = 0; round < rounds; round++) own.push(await measureRound(bench, service, call));
    rows.push(...rowsOf('admin-service', call, own));
    bars.push(...barsOf(call, own));
    for (const contender of others) {
      rows.push(...rowsOf(contender.name, call, [await measureRound(bench, contender, call)]));
    }
  }
  return {
    title: 'Overload of one process on one core',
    rows,
    bars,
    notes: [
      `Medians of ${rounds} rounds, of the other contenders one round. An open loop has ${OPEN_LOOP_CONNECTIONS} phones, which skip what is due while they wait for an answer; it is measured after ${OPEN_LOOP_WARM_UP_SECONDS} s in which they connect.`,
    ],
  };
}

async function measureRound(
  bench: Bench,
  contender: Bench['contenders']['service'],
  call: Call,
): Promise<Round> {
  const running = await bench.start(contender, { ...saturationSettings, UNDER_PRESSURE: '1' });
  await sendEveryTokenOnce(bench, running);
  const ordinary = await ordinaryLoad(bench, running, call);
  const loads = new Map<string, Observed>();
  const add = (load: string, seen: Observed) => {
    loads.set(load, seen);
    say(
      `${contender.name}: ${call}, ${load}: ${seen.served.toFixed(0)} served/s, ${percent(seen.refusedShare)} refused ${seen.unexpected}`,
    );
  };
  for (const connections of CROWDS) {
    add(
      `${connections} connections`,
      await observe(running, () => closedLoop(bench, running, call, connections)),
    );
  }
  await observeOpenLoops(bench, running, call, add);
  await pause(RECOVERY_MS - 1_000);
  const recovered = await ordinaryLoad(bench, running, call);
  await running.stop();
  return { loads, ordinaryMs: ordinary, recoveredMs: recovered };
}

/** On a quarter of the core, because the load could not offer several times what all of it serves. */
async function observeOpenLoops(
  bench: Bench,
  running: RunningContender,
  call: Call,
  add: (load: string, seen: Observed) => void,
): Promise<void> {
  const stopBurning = burnServiceCore();
  // Of an interrupted run.
  bench.stack.onStop(stopBurning);
  try {
    const alone = await observe(running, () => closedLoop(bench, running, call, CROWDS[0]));
    add(QUARTER, alone);
    for (const times of OFFERED) {
      const load = () =>
        openLoop(bench, running, call, {
          ...{ perSecond: times * alone.served, warmUpSeconds: OPEN_LOOP_WARM_UP_SECONDS, seconds: SECONDS },
        });
      add(`${times} × capacity`, await observe(running, load));
    }
  } finally {
    stopBurning();
  }
}

function closedLoop(bench: Bench, { port }: RunningContender, call: Call, connections: number) {
  return bench.load.run({
    ...{ kind: 'saturation', port, journeys: bench.options.journeys, requests: call },
    ...{ connections, seconds: SECONDS, leastRequests: 0 },
  });
}

async function ordinaryLoad(bench: Bench, running: RunningContender, call: Call): Promise<number> {
  const { accepted } = await openLoop(bench, running, call, {
    ...{ perSecond: ORDINARY_PER_SECOND, warmUpSeconds: 0.25, seconds: 2 },
  });
  return accepted?.p99 ?? NaN;
}

function openLoop(
  bench: Bench,
  { port }: RunningContender,
  call: Call,
  rate: { perSecond: number; warmUpSeconds: number; seconds: number },
) {
  return bench.load.run({
    ...{ kind: 'randomArrivals', port, journeys: bench.options.journeys, requests: call },
    ...{ connections: OPEN_LOOP_CONNECTIONS, skipsWhenBusy: true, ...rate },
  });
}

async function observe({ port }: RunningContender, load: () => Promise<LoadResult>): Promise<Observed> {
  const health = new HealthCheck(port);
  const { answers, seconds, accepted, refused, failures } = await load();
  const unexpected = Object.entries(failures).filter(
    // An update may overtake the one before it on another connection.
    ([what]) => !/^((update|poll) 503|update 409)$/.test(what),
  );
  return {
    served: (accepted?.count ?? 0) / seconds,
    refusedShare: (refused?.count ?? 0) / answers,
    offered: answers / seconds,
    latency: accepted,
    health: await health.end(),
    unexpected: unexpected.length === 0 ? '' : JSON.stringify(Object.fromEntries(unexpected)),
  };
}

const loadNames = [
  ...CROWDS.map((count) => `${count} connections`),
  QUARTER,
  ...OFFERED.map((times) => `${times} × capacity`),
];

function medianOf(rounds: readonly Round[], load: string, value: (seen: Observed) => number): number {
  return median(
    rounds.map(({ loads }) => {
      const seen = loads.get(load);
      return seen === undefined ? NaN : value(seen);
    }),
  );
}

/** What is served at best under a load's conditions. */
function capacityFor(rounds: readonly Round[], load: string): number {
  const closed = CROWDS.map((count) => `${count} connections`);
  const among = closed.includes(load) ? closed : [QUARTER];
  return Math.max(...among.map((name) => medianOf(rounds, name, ({ served }) => served)));
}

function rowsOf(name: string, call: Call, rounds: readonly Round[]): Record<string, string>[] {
  return loadNames.map((load) => {
    const of = (value: (seen: Observed) => number) => medianOf(rounds, load, value);
    const served = of((seen) => seen.served);
    return {
      contender: name,
      call,
      load,
      'served/s': served.toFixed(0),
      'of the best': percent(served / capacityFor(rounds, load)),
      refused: percent(of((seen) => seen.refusedShare)),
      'served p50 / p99, ms': `${milliseconds(of((seen) => seen.latency?.p50 ?? NaN))} / ${milliseconds(of((seen) => seen.latency?.p99 ?? NaN))}`,
      '/health/live p99, ms': milliseconds(of((seen) => seen.health?.p99 ?? NaN)),
      unexpected: rounds.map(({ loads }) => loads.get(load)?.unexpected ?? '').join(' '),
    };
  });
}

function barsOf(call: Call, rounds: readonly Round[]): Bar[] {
  const share = (load: string, limit: number) =>
    atLeast(
      `${call}, ${load}: of the best`,
      medianOf(rounds, load, ({ served }) => served) / capacityFor(rounds, load),
      limit,
      '×',
    );
  const health = (load: string) =>
    atMost(
      `${call}, ${load}: /health/live p99`,
      medianOf(rounds, load, (seen) => seen.health?.p99 ?? NaN),
      1_500,
      ' ms',
      0,
    );
  const { ordinaryMs, recoveredMs } = {
    ordinaryMs: median(rounds.map((round) => round.ordinaryMs)),
    recoveredMs: median(rounds.map((round) => round.recoveredMs)),
  };
  return [
    share('4000 connections', 0.8),
    share('8000 connections', 0.7),
    atMost(
      `${call}, 4000 connections: served p99`,
      medianOf(rounds, '4000 connections', (seen) => seen.latency?.p99 ?? NaN),
      2_000,
      ' ms',
      0,
    ),
    share('3 × capacity', 0.6),
    health('4000 connections'),
    health('8000 connections'),
    atMost(
      `${call}: p99 of an ordinary load ${RECOVERY_MS / 1_000} s after the crowd, against before`,
      recoveredMs / ordinaryMs,
      2,
      '×',
    ),
  ];
}

/** /health/live, each time on a new connection, as a load balancer's check. */
class HealthCheck {
  readonly #times = new Durations();
  readonly #checking: Promise<void>;
  #isOver = false;

  constructor(port: number) {
    this.#checking = this.#check(`http://127.0.0.1:${port}/health/live`);
  }

  async end(): Promise<Spread | undefined> {
    this.#isOver = true;
    await this.#checking;
    return this.#times.spread();
  }

  async #check(url: string): Promise<void> {
    while (!this.#isOver) {
      const sentAtMs = performance.now();
      // Fastify has no such route; any answer shows that the process serves.
      const signal = AbortSignal.timeout(HEALTH_TIMEOUT_MS);
      await fetch(url, { headers: { connection: 'close' }, signal }).then(
        (answer) => answer.arrayBuffer(),
        () => undefined,
      );
      this.#times.add(performance.now() - sentAtMs);
      await pause(HEALTH_EVERY_MS);
    }
  }
}
