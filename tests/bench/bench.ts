import { Redis } from 'ioredis';
import { startLocalRedis } from '../../src/dev/servers/local-redis.js';
import type { Reaper } from '../../src/dev/servers/reaper.js';
import type { StopList } from '../../src/dev/stop-list.js';
import type { JourneyRules } from '../../src/journeys/journey.js';
import { withScripts } from '../../src/store/scripts.js';
import { saturationRules } from './bench-journeys.js';
import type { BenchOptions } from './command-line.js';
import { startContender, type Contender, type Settings } from './contender-process.js';
import type { ContenderKind } from './contenders/registry.js';
import { startJourneys, type BenchRedis } from './journeys.js';
import type { LoadProcess } from './load-process.js';
import type { NodeBinary } from './node-binary.js';

export interface BenchDependencies {
  options: BenchOptions;
  node: NodeBinary;
  reaper: Reaper;
  toStop: StopList;
  load: LoadProcess;
  databaseUrl: string;
  eventBusUrl: string;
  say: (line: string) => void;
}

export interface RedisUnderTest {
  url: string;
  /** Undefined where it runs in a container. */
  pid: number | undefined;
  connection: BenchRedis;
  stop(): Promise<void>;
}

/** Long enough for the longest run; only the load's own are as in production. */
const seedingRules: JourneyRules = { ...saturationRules, journeyTtlSeconds: 43_200 };

/** What all parts work with. */
export class Bench {
  readonly options: BenchOptions;
  readonly load: LoadProcess;
  readonly say: (line: string) => void;
  readonly #dependencies: BenchDependencies;
  redisVersion = '';
  #shared: Promise<RedisUnderTest> | undefined;

  constructor(dependencies: BenchDependencies) {
    this.#dependencies = dependencies;
    this.options = dependencies.options;
    this.load = dependencies.load;
    this.say = dependencies.say;
  }

  /** A Redis of its own, empty. */
  async startRedis(rules: JourneyRules): Promise<RedisUnderTest> {
    const { reaper, toStop, say } = this.#dependencies;
    const server = await startLocalRedis({ reaper, say });
    const connection = withScripts(new Redis(server.url, { enableAutoPipelining: true }), rules);
    const stop = async () => {
      connection.disconnect();
      await server.stop();
    };
    toStop.add(stop);
    this.redisVersion = /redis_version:(\S+)/.exec(await connection.info('server'))?.[1] ?? '';
    return { url: server.url, pid: server.pid, connection, stop };
  }

  /** A Redis with so many journeys on their way; the load can send for them afterwards. */
  async startRedisWithJourneys(journeys: number): Promise<RedisUnderTest> {
    this.say(`starting a Redis with ${journeys} journeys`);
    const redis = await this.startRedis(seedingRules);
    await startJourneys(redis.connection, seedingRules, journeys);
    await this.load.prepare(journeys);
    return redis;
  }

  /** The Redis with as many journeys as the options say; one for all parts. */
  sharedRedis(): Promise<RedisUnderTest> {
    this.#shared ??= this.startRedisWithJourneys(this.options.journeys);
    return this.#shared;
  }

  async start(kind: ContenderKind, redis: RedisUnderTest, settings: Settings): Promise<Contender> {
    const { toStop, ...surroundings } = this.#dependencies;
    const contender = await startContender(
      kind,
      { ...surroundings, node: surroundings.node.path, redisUrl: redis.url },
      settings,
    );
    toStop.add(() => contender.stop());
    return contender;
  }
}
