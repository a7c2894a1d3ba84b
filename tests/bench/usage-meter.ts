import type { RedisUnderTest } from './bench.js';
import type { Contender } from './contender-process.js';
import { cpuSeconds, heldOffSeconds } from './cpu-time.js';

export interface Usage {
  seconds: number;
  /** Of CPU. */
  serviceSeconds: number;
  redisSeconds: number;
  /** In which the contender was ready and something else was on its core. */
  heldOffSeconds: number;
}

/** What a contender and its Redis take of the machine from a moment on. */
export class UsageMeter {
  readonly #contender: Contender;
  readonly #redis: RedisUnderTest;
  #before = { atMs: 0, service: 0, redis: 0, heldOff: 0 };

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
      heldOffSeconds: now.heldOff - before.heldOff,
    };
  }

  #now() {
    return {
      atMs: performance.now(),
      service: cpuSeconds(this.#contender.pid),
      redis: cpuSeconds(this.#redis.pid),
      heldOff: heldOffSeconds(this.#contender.pid),
    };
  }
}
