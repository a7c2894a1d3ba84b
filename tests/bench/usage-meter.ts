import type { RedisUnderTest } from './bench.js';
import type { Contender } from './contender-process.js';
import { cpuSeconds } from './cpu-time.js';

export interface Usage {
  seconds: number;
  /** Of CPU. */
  serviceSeconds: number;
  redisSeconds: number;
}

/** What a contender and its Redis take of the machine from a moment on. */
export class UsageMeter {
  readonly #contender: Contender;
  readonly #redis: RedisUnderTest;
  #before = { atMs: 0, service: 0, redis: 0 };

  constructor(contender: Contender, redis: RedisUnderTest) {
    this.#contender = contender;
    this.#redis = redis;
    this.begin();
  }

  begin(): void {
    this.#before = this.#now();
  }

  usage(): Usage {
    const [before, now] = [this.#before, this.#now()];
    return {
      seconds: (now.atMs - before.atMs) / 1000,
      serviceSeconds: now.service - before.service,
      redisSeconds: now.redis - before.redis,
    };
  }

  #now() {
    return {
      atMs: performance.now(),
      service: cpuSeconds(this.#contender.pid),
      redis: cpuSeconds(this.#redis.pid),
    };
  }
}
