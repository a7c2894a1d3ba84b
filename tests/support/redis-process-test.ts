import { redisProgram } from './private-redis.js';
import { redisImage } from './redis-image.js';

/** For tests that stop or kill the process of Redis itself; skipped where there is none that they reach. */
export const testWithRedisProcess = redisProgram === undefined && redisImage === undefined ? test.skip : test;
