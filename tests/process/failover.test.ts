import { randomUUID } from 'node:crypto';
import { aSession, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { testWithRedisProgram } from '../support/redis-process-test.js';
import { runService, type RunningService } from '../support/running-service.js';
import { PATIENT } from '../support/service-settings.js';
import { until } from '../support/until.js';
import { startWatchedRedis, type WatchedRedis } from '../support/watched-redis.js';

let redis: WatchedRedis;
let service: RunningService;

beforeAll(async () => {
  if (testWithRedisProgram !== test) return;
  redis = await startWatchedRedis();
  service = await runService({ settings: { ...redis.settings, ...PATIENT, REDIS_WAIT_REPLICAS: '1' } });
}, 120_000);
afterAll(async () => {
  if (testWithRedisProgram !== test) return;
  await service.stop();
  await redis.stop();
}, 30_000);

const exists = async (kind: string, { sessionId }: ASession) =>
  (await redis.primary().exists(`journey:${kind}:${sessionId}`)) === 1;

testWithRedisProgram(
  'no start or end that was acknowledged is lost when the primary dies under load',
  async () => {
    const started: ASession[] = [];
    const ended: ASession[] = [];
    let isOver = false;
    const worker = async () => {
      while (!isOver) {
        const session = await aSession();
        const { sessionId, trainerToken } = session;
        const { status } = await service.api.start(sessionId, trainerToken);
        expect([201, 503]).toContain(status);
        if (status !== 201) continue;
        started.push(session);
        if (started.length % 2 === 0) continue;
        const { status: stopped } = await service.api.stop(sessionId, trainerToken);
        expect([200, 503]).toContain(stopped);
        if (stopped === 200) ended.push(session);
      }
    };
    const workers = Array.from({ length: 4 }, worker);
    await until('some are acknowledged', () => started.length > 10 && ended.length > 5, 30_000);
    await redis.failOver();
    isOver = true;
    await Promise.all(workers);
    for (const session of started)
      expect((await exists('active', session)) || (await exists('ended', session))).toBe(true);
    for (const session of ended) expect(await exists('ended', session)).toBe(true);
  },
  90_000,
);

testWithRedisProgram(
  'without a replica a start is a 503, and is acknowledged to its repeat once there is one again',
  async () => {
    const { sessionId, trainerToken } = await aSession();
    const headers = { 'Idempotency-Key': randomUUID() };
    const refused = await service.api.start(sessionId, trainerToken, headers);
    expect(refusal(refused)).toMatchObject({ status: 503, code: 'STATE_UNAVAILABLE' });
    expect(refused.headers['retry-after']).toBeDefined();
    await redis.restoreReplica();
    const again = await until('it is acknowledged', async () => {
      const answer = await service.api.start(sessionId, trainerToken, headers);
      return answer.status !== 503 && answer;
    });
    expect(data(again)).toMatchObject({ sessionId });
  },
  60_000,
);
