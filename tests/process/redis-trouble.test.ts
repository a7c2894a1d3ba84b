import { Redis } from 'ioredis';
import { aSession } from '../support/a-session.js';
import {
  anActiveJourney,
  fiveCalls,
  makeAllFive,
  nameOfCalls,
  timedGet,
  unavailable,
  type TimedAnswer,
} from '../support/five-calls.js';
import { putIntoOutbox } from '../support/outbox-entry.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { testWithRedisProcess } from '../support/redis-process-test.js';
import { runService, type RunningService } from '../support/running-service.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

let redis: PrivateRedis;
let proxy: TcpProxy;
let service: RunningService;
beforeAll(async () => {
  redis = await startPrivateRedis();
  proxy = await startTcpProxy(redis.url);
  service = await runService({ settings: { REDIS_URL: proxy.urlFor(redis.url) } });
  // The SDK reads the address of its bus at the first call.
  const sessionId = await putIntoOutbox(redis.client);
  await until('a first event', () => service.eventsOf(sessionId).length > 0);
});
afterEach(async () => {
  // Cut first, so that delayed bytes do not arrive between later ones.
  proxy.cut();
  proxy.heal();
  await redis.client.replicaof('NO', 'ONE');
  await redis.client.config('SET', 'maxmemory', '0');
});
afterAll(async () => {
  await service.stop();
  await proxy.stop();
  await redis.stop();
});

test('scripts that Redis has forgotten are loaded again without a failing call', async () => {
  const session = await anActiveJourney(service.url);
  await redis.client.script('FLUSH');
  const answers = [
    await fiveCalls.live(service.url, session),
    await fiveCalls.update(service.url, session),
    await fiveCalls.arrived(service.url, session),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 201, 200]);
});

test('connections that Redis closes are re-established within two seconds, and events are published again', async () => {
  const session = await anActiveJourney(service.url);
  await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  const statuses = new Set<number>();
  const served = async () => {
    const { status } = await fiveCalls.live(service.url, session);
    statuses.add(status);
    return status === 200;
  };
  await until('live is served again', served, 2_000);
  statuses.delete(503);
  expect(statuses).toEqual(new Set([200]));
  const next = await anActiveJourney(service.url);
  await until('the event', () => service.eventsOf(next.sessionId).length > 0);
});

test('all five calls are served while Redis is 200 ms slower', async () => {
  const stopped = await anActiveJourney(service.url);
  const session = await aSession();
  proxy.delay(100);
  const statuses: number[] = [];
  for (const name of ['start', 'update', 'live', 'arrived'] as const) {
    statuses.push((await fiveCalls[name](service.url, session)).status);
  }
  statuses.push((await fiveCalls.stop(service.url, stopped)).status);
  expect(statuses).toEqual([201, 201, 200, 200, 200]);
});

test('while Redis answers after its timeout, all five calls are 503 within a second', async () => {
  const session = await anActiveJourney(service.url);
  proxy.delay(1_000);
  const answers = await makeAllFive(service.url, session);
  for (const answer of answers) {
    expect(answer).toMatchObject(unavailable);
    expect(answer.ms).toBeLessThan(1_000);
  }
});

test('after all data was lost an update is JOURNEY_NOT_ACTIVE, and events are published again', async () => {
  const lost = await anActiveJourney(service.url);
  await redis.client.flushall();
  expect(await fiveCalls.update(service.url, lost)).toMatchObject({
    status: 404,
    code: 'JOURNEY_NOT_ACTIVE',
  });
  const session = await anActiveJourney(service.url);
  await until('the event', () => service.eventsOf(session.sessionId).length === 1);
  expect(await redis.client.xlen('journey:outbox')).toBeLessThanOrEqual(1);
});

test('a Redis that became a read-only replica answers 503 to calls that write, and they work after its promotion', async () => {
  const session = await anActiveJourney(service.url);
  const scheduled = await aSession();
  // A primary that does not exist: the replica keeps its data and refuses writes.
  await redis.client.replicaof('127.0.0.1', 1);
  const answers: TimedAnswer[] = [];
  for (const [name, of] of [
    ['update', session],
    ['start', scheduled],
    ['stop', session],
  ] as const) {
    // Each refusal makes a new connection, so that each call meets Redis itself.
    await until('connected', async () => (await fiveCalls.live(service.url, session)).status === 200);
    answers.push(await fiveCalls[name](service.url, of));
  }
  await redis.client.replicaof('NO', 'ONE');
  expect(answers).toMatchObject([unavailable, unavailable, unavailable]);
  await until(
    'start is served',
    async () => (await fiveCalls.start(service.url, scheduled)).status === 201,
    2_000,
  );
});

test('a Redis without memory left answers 503 to calls that write, which leave nothing behind', async () => {
  const session = await anActiveJourney(service.url);
  const scheduled = await aSession();
  await redis.client.config('SET', 'maxmemory-policy', 'noeviction');
  await redis.client.config('SET', 'maxmemory', '1');
  const start = await fiveCalls.start(service.url, scheduled);
  const update = await fiveCalls.update(service.url, session);
  await redis.client.config('SET', 'maxmemory', '0');
  expect([start, update]).toMatchObject([unavailable, unavailable]);
  const keys = await redis.client.keys(`*${scheduled.sessionId}*`);
  expect(keys.filter((key) => !key.startsWith('session:meta:'))).toEqual([]);
  expect(await redis.client.zscore('journey:expiries', scheduled.sessionId)).toBeNull();
});

test('a Redis that is busy with a script answers 503 within a second', async () => {
  const session = await anActiveJourney(service.url);
  await redis.client.config('SET', 'busy-reply-threshold', '10');
  const other = new Redis(redis.url, { retryStrategy: () => null });
  other.on('error', () => undefined);
  const busy = other.eval('while true do end', 0).catch(() => undefined);
  const answers = await until('Redis is busy', async () => {
    const five = await makeAllFive(service.url, session);
    return five.every(({ status }) => status === 503) && five;
  });
  // One that has written nothing can be killed.
  await until('the script is killed', async () => (await redis.client.script('KILL')) === 'OK');
  await busy;
  other.disconnect();
  for (const answer of answers) {
    expect(answer).toMatchObject(unavailable);
    expect(answer.ms).toBeLessThan(1_000);
  }
});

test('a service that starts while Redis refuses connections is neither live nor ready, and both when Redis comes', async () => {
  proxy.cut();
  const early = await runService({ settings: { REDIS_URL: proxy.urlFor(redis.url) } });
  try {
    expect(await timedGet(`${early.url}/health/live`)).toMatchObject(unavailable);
    expect(await timedGet(`${early.url}/health/ready`)).toMatchObject(unavailable);
    const session = await aSession();
    expect(await makeAllFive(early.url, session)).toMatchObject(nameOfCalls.map(() => unavailable));
    proxy.heal();
    await until('ready', async () => (await timedGet(`${early.url}/health/ready`)).status === 200, 3_000);
    expect(await timedGet(`${early.url}/health/live`)).toMatchObject({ status: 200 });
    expect(await fiveCalls.start(early.url, session)).toMatchObject({ status: 201 });
    await until('the event', () =>
      [early, service].some((each) => each.eventsOf(session.sessionId).length > 0),
    );
  } finally {
    await early.stop();
  }
});

testWithRedisProcess(
  'a service that starts while Redis hangs answers within ten seconds, and is live and ready when it goes on',
  async () => {
    redis.freeze();
    const startedAt = performance.now();
    const early = await runService({ settings: { REDIS_URL: redis.url } });
    const tookMs = performance.now() - startedAt;
    try {
      const live = await timedGet(`${early.url}/health/live`);
      const ready = await timedGet(`${early.url}/health/ready`);
      redis.thaw();
      expect(tookMs).toBeLessThan(10_000);
      expect([live, ready]).toMatchObject([unavailable, unavailable]);
      await until('ready', async () => (await timedGet(`${early.url}/health/ready`)).status === 200, 3_000);
      expect((await timedGet(`${early.url}/health/live`)).status).toBe(200);
    } finally {
      redis.thaw();
      await early.stop();
    }
  },
);

test('what went wrong with Redis is in the log, without an address of a caller or a token', async () => {
  const { sessionId, trainerToken } = await aSession();
  proxy.cut();
  await service.api.start(sessionId, trainerToken);
  const line = await until('the line', () =>
    service.logLines().find(({ dependency, requestId }) => dependency === 'redis' && requestId !== undefined),
  );
  expect(line).toMatchObject({ level: 'warn', requestId: expect.any(String) as string });
  expect(JSON.stringify(line)).not.toContain(trainerToken);
});
