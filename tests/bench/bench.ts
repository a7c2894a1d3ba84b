import { Redis } from 'ioredis';
import { say, type ServiceProcess, type Stack } from '../support/stack.js';
import { home, journeyAt } from './bench-journeys.js';
import { findContenders, type Contender, type Contenders } from './contenders/registry.js';
import { leaveServiceCore, onServiceCore } from './cores.js';
import { LoadProcess } from './load-process.js';

export interface BenchOptions {
  rounds: number;
  /** Of each round. */
  seconds: number;
  journeys: number;
  /** The path of the Node that all servers run on. */
  node: string;
  isQuick: boolean;
  /** The folder of another build. */
  against?: string | undefined;
}

/** A Redis with journeys of its own. */
export interface BenchRedis {
  url: string;
  /** Undefined where it runs in a container. */
  pid: number | undefined;
  client: Redis;
  bytesPerJourney: number;
}

export interface RunningContender extends ServiceProcess {
  contender: Contender;
  redis: BenchRedis;
}

export type Settings = Record<string, string>;
/** Accepts an update of a journey whenever the load sends one. */
export const saturationSettings: Settings = { UPDATE_INTERVAL_MS: '1', JOURNEY_TTL_SECONDS: '43200' };
/** Production's settings, with journeys that outlive the run. */
export const productionSettings: Settings = { JOURNEY_TTL_SECONDS: '43200' };

/** Sessions in Postgres without a journey, after those of the journeys. */
export const SPARE_SESSIONS = 40;
export const OUTBOX_KEY = 'journey:outbox';
const SEEDING_CONNECTIONS = 64;

/** What the parts of the bench share. */
export class Bench {
  readonly stack: Stack;
  readonly load: LoadProcess;
  readonly contenders: Contenders;
  readonly options: BenchOptions;
  redisVersion = '';
  readonly #redises = new Map<Contender, Promise<BenchRedis>>();

  private constructor(stack: Stack, load: LoadProcess, contenders: Contenders, options: BenchOptions) {
    this.stack = stack;
    this.load = load;
    this.contenders = contenders;
    this.options = options;
  }

  static async start(stack: Stack, options: BenchOptions): Promise<Bench> {
    const contenders = findContenders(options.node, options.against);
    leaveServiceCore();
    const journeys = Array.from({ length: options.journeys + SPARE_SESSIONS }, (_, index) =>
      journeyAt(index),
    );
    await stack.insertSessions(journeys.map((journey) => ({ ...journey, status: 'scheduled', home })));
    const load = await LoadProcess.start(stack, options.node, options.journeys);
    return new Bench(stack, load, contenders, options);
  }

  /** On the service's core, with the Redis that its build has seeded. */
  async start(contender: Contender, settings: Settings): Promise<RunningContender> {
    const redis = await this.redisFor(contender);
    return { contender, redis, ...(await this.#startOn(redis.url, contender, settings)) };
  }

  /** One Redis for our service and what runs its scripts, one for the other build. */
  redisFor(contender: Contender): Promise<BenchRedis> {
    const { against, service } = this.contenders;
    const seeder = contender === against ? contender : service;
    const known = this.#redises.get(seeder) ?? this.#seed(seeder);
    this.#redises.set(seeder, known);
    return known;
  }

  #startOn(redisUrl: string, { program }: Contender, settings: Settings): Promise<ServiceProcess> {
    const pinned = { ...program, command: onServiceCore(program.command) };
    return this.stack.startService(pinned, { redisUrl }, settings);
  }

  /** The service itself starts the journeys and records the first position of each. */
  async #seed(seeder: Contender): Promise<BenchRedis> {
    const { journeys } = this.options;
    say(`starting a Redis with ${journeys} journeys of ${seeder.name}`);
    const { url, pid } = await this.stack.startRedis();
    const client = new Redis(url);
    this.stack.onStop(() => {
      client.disconnect();
    });
    this.redisVersion = /redis_version:(\S+)/.exec(await client.info('server'))?.[1] ?? '';
    const emptyBytes = await usedBytes(client);
    const service = await this.#startOn(url, seeder, productionSettings);
    for (const requests of ['start', 'update'] as const) {
      const { failures } = await this.load.run({
        ...{ kind: 'saturation', port: service.port, requests, journeys, seconds: 0 },
        ...{ connections: SEEDING_CONNECTIONS, leastRequests: journeys },
      });
      if (Object.keys(failures).length > 0) throw new Error(`seeding: ${JSON.stringify(failures)}`);
    }
    await service.stop();
    await client.del(OUTBOX_KEY);
    return { url, pid, client, bytesPerJourney: ((await usedBytes(client)) - emptyBytes) / journeys };
  }
}

/** Without the buffers of connections. */
async function usedBytes(client: Redis): Promise<number> {
  const info = await client.info('memory');
  const of = (field: string) => Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  return of('used_memory') - of('mem_clients_normal');
}
