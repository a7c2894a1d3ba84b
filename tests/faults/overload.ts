import { setTimeout as pause } from 'node:timers/promises';
import { Times, type Spread } from '../../src/dev/load/measurements.js';
import { Bench } from '../bench/bench.js';
import { saturationSettings, type Contender } from '../bench/contender-process.js';
import { bareRefusals, ours } from '../bench/contenders/registry.js';
import { leaveTheServicesCore } from '../bench/cores.js';
import { LoadProcess } from '../bench/load-process.js';
import { startLocalEventBus } from '../../src/dev/event-bus/local-event-bus.js';
import type { Stack, Surroundings } from './stack.js';

export interface OverloadResult {
  /** Requests a second that the process takes where each connection waits for its answer. */
  capacity: number;
  /** Requests a second that a bare node:http server takes that answers each with 503: nobody can refuse more. */
  refusable: number;
  /** Sent a second, whatever the answers did. */
  offered: number;
  /** Answered as they should be, a second. */
  served: number;
  shedShare: number;
  accepted: Spread | undefined;
  shed: Spread | undefined;
  /** From when a request was due until the load sent it: no time of the service's. */
  ownDelay: Spread | undefined;
  /** From outside, on a new connection each time. */
  health: Spread | undefined;
  /** Neither as they should be nor refused with 503 and Retry-After. */
  failures: Record<string, number>;
}

const JOURNEYS = 2_000;
const SATURATION_SECONDS = 4;
const OVERLOAD_SECONDS = 8;
export const TIMES_TOO_MUCH = 3;
const CONNECTIONS = 6_000;
const HEALTH_EVERY_MS = 50;

/** What one process takes, and then three times as much in an open loop. */
export async function overload(stack: Stack, surroundings: Surroundings): Promise<OverloadResult> {
  const { reaper, toStop, say } = surroundings;
  leaveTheServicesCore();
  const load = new LoadProcess(process.execPath, reaper);
  toStop.add(() => load.stop());
  const bus = await startLocalEventBus();
  toStop.add(() => bus.stop());
  const bench = new Bench({
    options: {
      ...{ isQuick: false, only: [], rounds: 1, seconds: SATURATION_SECONDS, journeys: JOURNEYS },
      ...{ node: undefined, soakMinutes: 0 },
    },
    node: { path: process.execPath, version: process.version, note: undefined },
    ...{ reaper, toStop, load, say, databaseUrl: stack.databaseUrl, eventBusUrl: bus.url },
  });
  const redis = await bench.sharedRedis();
  const saturation = { kind: 'saturation', connections: 512, leastRequests: 0, firstJourney: 0 } as const;
  /** The first round warms up. */
  const takes = async ({ port }: Contender) => {
    const order = {
      ...saturation,
      port,
      journeys: JOURNEYS,
      requests: 'mix',
      seconds: SATURATION_SECONDS,
    } as const;
    await load.run(order);
    const { answers, seconds } = await load.run(order);
    return answers / seconds;
  };
  say('overload: how much a bare server refuses');
  const refusing = await bench.start(bareRefusals, redis, {});
  const refusable = await takes(refusing);
  await refusing.stop();
  say('overload: how much one process takes');
  const service = await bench.start(ours, redis, saturationSettings);
  const capacity = await takes(service);
  say(`overload: ${TIMES_TOO_MUCH} times ${Math.round(capacity)} requests a second`);
  const health = new HealthWatch(service);
  const result = await load.run({
    kind: 'randomArrivals',
    ...{ port: service.port, journeys: JOURNEYS, requests: 'mix' },
    perSecond: TIMES_TOO_MUCH * capacity,
    seconds: OVERLOAD_SECONDS,
    connections: CONNECTIONS,
  });
  const refused = result.refused?.count ?? 0;
  return {
    capacity,
    refusable,
    offered: result.answers / OVERLOAD_SECONDS,
    served: (result.accepted?.count ?? 0) / result.seconds,
    shedShare: refused / result.answers,
    accepted: result.accepted,
    shed: result.refused,
    ownDelay: result.ownDelay,
    health: await health.end(),
    // A 409 is due where a journey's next update has overtaken this one on another connection.
    failures: Object.fromEntries(
      Object.entries(result.failures).filter(([what]) => !/^((update|poll) 503|update 409)$/.test(what)),
    ),
  };
}

/** Asks the process whether it is alive, as a load balancer does, only more often. */
class HealthWatch {
  readonly #times = new Times();
  readonly #asking: Promise<void>;
  #isOver = false;

  constructor({ port }: Contender) {
    this.#asking = this.#ask(`http://127.0.0.1:${port}/health/live`);
  }

  async end(): Promise<Spread | undefined> {
    this.#isOver = true;
    await this.#asking;
    return this.#times.spread();
  }

  async #ask(url: string): Promise<void> {
    while (!this.#isOver) {
      const askedAtMs = performance.now();
      const answer = await fetch(url, { headers: { connection: 'close' } });
      await answer.arrayBuffer();
      if (!answer.ok) throw new Error(`/health/live answered ${answer.status}`);
      this.#times.add(performance.now() - askedAtMs);
      await pause(HEALTH_EVERY_MS);
    }
  }
}
