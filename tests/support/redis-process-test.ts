import { redisImage, redisProgram } from './private-redis.js';

/** For tests that stop or kill the process of Redis itself; skipped where there is none that they reach. */
export const testWithRedisProcess = redisProgram === undefined && redisImage === undefined ? test.skip : test;

/** For tests of several Redis together, which are processes of this machine; skipped where they cannot be started. */
export const testWithRedisProgram = redisProgram === undefined ? test.skip : test;
