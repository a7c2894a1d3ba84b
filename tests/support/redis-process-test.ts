import { redisImage, redisProgram } from './private-redis.js';

/** For tests that signal the process of Redis; skipped where they cannot. */
export const testWithRedisProcess = redisProgram === undefined && redisImage === undefined ? test.skip : test;

/** For tests of several Redis processes; skipped without a local Redis. */
export const testWithRedisProgram = redisProgram === undefined ? test.skip : test;
