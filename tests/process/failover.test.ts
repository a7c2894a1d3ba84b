import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { aSession, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { keyOf } from '../support/redis-of-the-run.js';
import { testWithRedisProgram } from '../support/redis-process-test.js';
import { runService, type RunningService } from '../support/running-service.js';
import { PATIENT } from '../support/service-settings.js';
import { until } from '../support/until.js';
import { startWatchedRedis, type WatchedRedis } from '../support/watched-redis.js';

/** `npm run test:failover` sets it and prints the figures; without it there is one failover, which has to lose nothing. */
const failovers = Number(process.env['FAILOVERS'] ?? 1);
/** The replication lag of networks and busy replicas. */
const REPLICA_IS_BEHIND_MS = 200;

interface Figures {
  acknowledgedStarts: number;
  acknowledgedEnds: number;
  /** Of those. */
  lost: number;
  /** The longest time between a kill and the next acknowledged start. */
  unavailableMs: number;
}

const testOfFigures = process.env['FAILOVERS'] === undefined ? test.skip : testWithRedisProgram;

testWithRedisProgram(
  'with REDIS_WAIT_REPLICAS=1 no acknowledged start or end is lost',
  async () => {
    expect((await figures('1')).lost).toBe(0);
  },
  900_000,
);

testOfFigures(
  'without it some are lost',
  async () => {
    expect((await figures('0')).lost).toBeGreaterThan(0);
  },
  900_000,
);

testWithRedisProgram(
  'without a replica a start is a 503, and is acknowledged to its repeat once there is one again',
  async () => {
    const redis = await startWatchedRedis();
    const settings = { ...redis.settings, ...PATIENT, REDIS_WAIT_REPLICAS: '1' };
    const service = await runService({ settings });
    await redis.failOver();
    const { sessionId, trainerToken } = await aSession();
    const headers = { 'Idempotency-Key': randomUUID() };
    const refused = await until('Redis writes, and has no replica', async () => {
      const answer = await service.api.start(sessionId, trainerToken, headers);
      return (await redis.primary().exists(keyOf.active(sessionId))) === 1 && answer;
    });
    expect(refusal(refused)).toMatchObject({ status: 503, code: 'STATE_UNAVAILABLE' });
    expect(refused.headers['retry-after']).toBeDefined();
    await redis.restoreReplica();
    const again = await until('it is acknowledged', async () => {
      const answer = await service.api.start(sessionId, trainerToken, headers);
      return answer.status !== 503 && answer;
    });
    expect(data(again)).toMatchObject({ sessionId });
    await service.stop();
    await redis.stop();
  },
  60_000,
);

async function figures(replicas: string): Promise<Figures> {
  const redis = await startWatchedRedis();
  const settings = { ...redis.settings, ...PATIENT, REDIS_WAIT_REPLICAS: replicas };
  const service = await runService({ settings });
  const sum: Figures = { acknowledgedStarts: 0, acknowledgedEnds: 0, lost: 0, unavailableMs: 0 };
  for (let count = 0; count < failovers; count++) await oneFailover(redis, service, sum);
  await service.stop();
  await redis.stop();
  process.stderr.write(tableOf(replicas, sum));
  return sum;
}

function tableOf(replicas: string, sum: Figures): string {
  const rows = [
    ['failovers, the replica behind by', `${failovers}, ${REPLICA_IS_BEHIND_MS} ms`],
    ['acknowledged starts and ends', sum.acknowledgedStarts + sum.acknowledgedEnds],
    ['of those lost', sum.lost],
    ['longest time without a start', `${sum.unavailableMs} ms`],
  ];
  return [
    `\nREDIS_WAIT_REPLICAS=${replicas}`,
    ...rows.map(([name, value]) => `  ${String(name).padEnd(34)}${value}`),
    '',
  ].join('\n');
}

async function oneFailover(redis: WatchedRedis, service: RunningService, sum: Figures): Promise<void> {
  const started: ASession[] = [];
  const ended: ASession[] = [];
  let isOver = false;
  const work = async () => {
    while (!isOver) {
      const session = await aSession();
      const { status } = await service.api.start(session.sessionId, session.trainerToken);
      if (status === 201) started.push(session);
      else await pause(20);
      if (status !== 201 || started.length % 2 === 0) continue;
      const stopped = await service.api.stop(session.sessionId, session.trainerToken);
      if (stopped.status === 200) ended.push(session);
    }
  };
  const workers = Array.from({ length: 8 }, work);
  await until('some are acknowledged', () => ended.length > 20, 60_000);
  const killedAt = performance.now();
  await redis.failOver(REPLICA_IS_BEHIND_MS);
  const before = started.length;
  await redis.restoreReplica();
  await until('starts are acknowledged again', () => started.length > before, 60_000);
  sum.unavailableMs = Math.max(sum.unavailableMs, Math.round(performance.now() - killedAt));
  isOver = true;
  await Promise.all(workers);
  const has = async (kind: string, { sessionId }: ASession) =>
    (await redis.primary().exists(`journey:${kind}:${sessionId}`)) === 1;
  for (const session of started)
    if (!(await has('active', session)) && !(await has('ended', session))) sum.lost++;
  for (const session of ended) if (!(await has('ended', session))) sum.lost++;
  sum.acknowledgedStarts += started.length;
  sum.acknowledgedEnds += ended.length;
}
