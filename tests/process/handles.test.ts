import { randomUUID } from 'node:crypto';
import { aSession, sessionsPool } from '../support/a-session.js';
import { fiveCalls, makeAllFive, unavailable } from '../support/five-calls.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { testWithRedisProcess } from '../support/redis-process-test.js';
import { runService } from '../support/running-service.js';
import { serviceImage } from '../support/service-process.js';
import { sharedDatabaseUrl } from '../support/shared-services.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

let redis: PrivateRedis;
beforeEach(async () => {
  redis = await startPrivateRedis();
});
afterEach(() => redis.stop());

const troubles: [name: string, begin: () => void | Promise<void>][] = [
  ['is killed', () => redis.kill()],
  ['hangs', () => redis.freeze()],
];

// Not by a proxy, whose handles would be counted too.
const testOfHandles = serviceImage === undefined ? testWithRedisProcess : test.skip;
testOfHandles.each(troubles)(
  'hundreds of calls that fail while Redis %s leave no timer and no connection behind',
  async (_name, begin) => {
    const service = await runService({ settings: { REDIS_URL: redis.url } });
    const session = await aSession();
    await makeAllFive(service.url, session);
    await begin();
    const failing = () => Promise.all(Array.from({ length: 10 }, () => makeAllFive(service.url, session)));
    // The first hundred open the connections of the tests.
    await failing();
    await failing();
    const before = handles();
    for (let calls = 0; calls < 200; calls += 50) {
      const answers = (await failing()).flat();
      expect(answers).toMatchObject(answers.map(() => unavailable));
    }
    // The tests' own connections may become a few more; a leak would be one for each of the 200 calls.
    await until('the handles are as many as before', () => handles() < before + 60);
    redis.thaw();
    await service.stop();
  },
);

test('a service stops in time while Redis and Postgres hang', async () => {
  const [slowRedis, slowPostgres] = [
    await startTcpProxy(redis.url),
    await startTcpProxy(sharedDatabaseUrl()),
  ];
  const service = await runService({
    settings: {
      REDIS_URL: slowRedis.urlFor(redis.url),
      DATABASE_URL: slowPostgres.urlFor(sharedDatabaseUrl()),
    },
  });
  await makeAllFive(service.url, await aSession());
  slowRedis.freeze();
  slowPostgres.freeze();
  const startedAt = performance.now();
  await service.stop();
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  await slowRedis.stop();
  await slowPostgres.stop();
});

test('a stopped service has closed its listeners and every connection to Redis and Postgres', async () => {
  const application = `handles-${randomUUID()}`;
  const database = new URL(sharedDatabaseUrl());
  database.searchParams.set('application_name', application);
  const service = await runService({ settings: { REDIS_URL: redis.url, DATABASE_URL: database.href } });
  const connections = async () => {
    const clients = String(await redis.client.client('LIST')).match(/\bname=admin-service/g) ?? [];
    const sql = 'select 1 from pg_stat_activity where application_name = $1';
    return [clients.length, (await sessionsPool().query(sql, [application])).rowCount ?? 0];
  };
  const session = await aSession();
  await makeAllFive(service.url, session);
  expect(await connections()).not.toContain(0);
  await service.stop();
  await expect(fiveCalls.live(service.url, session)).rejects.toThrow();
  await expect(fetch(service.metricsUrl)).rejects.toThrow();
  await until(
    'no connection is open',
    async () => (await connections()).every((count) => count === 0),
    5_000,
  );
});

function handles(): number {
  return process.getActiveResourcesInfo().length;
}
