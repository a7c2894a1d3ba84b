import { setTimeout as pause } from 'node:timers/promises';
import { say } from '../../support/stack.js';
import { Durations, milliseconds, percent, type Spread } from '../../support/statistics.js';
import { saturationSettings, type Bench } from '../bench.js';
import { atLeast, atMost, type PartReport } from '../report/part-report.js';

const SATURATION_SECONDS = 4;
const OVERLOAD_SECONDS = 8;
const TIMES_CAPACITY = 3;
const CONNECTIONS = 6_000;
const HEALTH_EVERY_MS = 50;

const ACCEPTED_P99_MS = 1_000;
/** A refusal must not queue behind accepted requests. */
const REFUSED_P99_MS = 500;
const HEALTH_P99_MS = 500;
/** Shares of the capacity. */
const LEAST_OFFERED = 2.5;
const LEAST_SERVED = 0.4;

/** The capacity of one process in a closed loop, and then three times as many requests in an open loop. */
export async function measureOverload(bench: Bench): Promise<PartReport> {
  const { load, options } = bench;
  const service = await bench.start(bench.contenders.service, saturationSettings);
  const target = { port: service.port, journeys: options.journeys, requests: 'mix' } as const;
  const saturation = { kind: 'saturation', connections: 512, leastRequests: 0, ...target } as const;
  // The first run warms up.
  await load.run({ ...saturation, seconds: SATURATION_SECONDS });
  const saturated = await load.run({ ...saturation, seconds: SATURATION_SECONDS });
  const capacity = saturated.answers / saturated.seconds;
  say(`overload: ${TIMES_CAPACITY} times ${capacity.toFixed(0)} requests/s`);
  const health = new HealthCheck(service.port);
  const { answers, seconds, accepted, refused, ownDelay, failures } = await load.run({
    ...{ kind: 'randomArrivals', ...target, connections: CONNECTIONS },
    ...{ perSecond: TIMES_CAPACITY * capacity, seconds: OVERLOAD_SECONDS },
  });
  const healthTimes = await health.end();
  await service.stop();
  const offered = answers / OVERLOAD_SECONDS;
  const served = (accepted?.count ?? 0) / seconds;
  // An update may overtake the one before it on another connection, which then gets a 409.
  const unexpected = Object.entries(failures).filter(
    ([what]) => !/^((update|poll) 503|update 409)$/.test(what),
  );
  const times = (spread: Spread | undefined) => `${milliseconds(spread?.p50)} / ${milliseconds(spread?.p99)}`;
  const p99 = (what: string, spread: Spread | undefined, limit: number) =>
    atMost(`overload: ${what}, p99`, spread?.p99 ?? NaN, limit, ' ms', 0);
  return {
    title: `Overload: ${TIMES_CAPACITY} times the capacity of one process`,
    rows: [
      {
        'capacity/s': capacity.toFixed(0),
        'offered/s': offered.toFixed(0),
        'served/s': served.toFixed(0),
        refused: percent((refused?.count ?? 0) / answers),
        'accepted p50 / p99, ms': times(accepted),
        'refused p50 / p99, ms': times(refused),
        '/health/live p50 / p99, ms': times(healthTimes),
        "of that the load's own delay": times(ownDelay),
        unexpected: JSON.stringify(Object.fromEntries(unexpected)),
      },
    ],
    bars: [
      p99('accepted', accepted, ACCEPTED_P99_MS),
      p99('refused', refused, REFUSED_P99_MS),
      p99('/health/live', healthTimes, HEALTH_P99_MS),
      atLeast('overload: offered, of the capacity', offered / capacity, LEAST_OFFERED, '×'),
      atLeast('overload: served, of the capacity', served / capacity, LEAST_SERVED, '×'),
      atMost('overload: kinds of unexpected answers', unexpected.length, 0, '', 0),
    ],
    notes: [],
  };
}

/** /health/live, each time on a new connection. */
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
      const answer = await fetch(url, { headers: { connection: 'close' } });
      await answer.arrayBuffer();
      if (!answer.ok) throw new Error(`/health/live answered ${answer.status}`);
      this.#times.add(performance.now() - sentAtMs);
      await pause(HEALTH_EVERY_MS);
    }
  }
}
