import { startLocalEventBus, type LocalEventBus } from '../../src/dev/event-bus/local-event-bus.js';
import { aSession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { testWithRedisProgram } from '../support/redis-process-test.js';
import { runServiceProcess } from '../support/service-process.js';
import { sharedDatabaseUrl } from '../support/shared-services.js';
import { authority, startTlsProxy, stranger, type TlsProxy } from '../support/tls-proxy.js';
import { served, until } from '../support/until.js';

let redis: PrivateRedis;
let bus: LocalEventBus;
let redisByTls: TlsProxy;
let postgresByTls: TlsProxy;
beforeAll(async () => {
  redis = await startPrivateRedis();
  bus = await startLocalEventBus();
  redisByTls = await startTlsProxy(redis.url, { asked: false, byName: true });
  postgresByTls = await startTlsProxy(sharedDatabaseUrl(), { asked: true });
});
afterAll(async () => {
  await redisByTls.stop();
  await postgresByTls.stop();
  await bus.stop();
  await redis.stop();
});

/** As in a deployment: addresses without passwords. */
function aService(settings: Record<string, string> = {}) {
  const database = new URL(sharedDatabaseUrl());
  return runServiceProcess(bus, {
    REDIS_URL: `rediss://localhost:${redisByTls.port}`,
    REDIS_PASSWORD: decodeURIComponent(new URL(redis.url).password),
    DATABASE_URL: '',
    DATABASE_HOST: 'localhost',
    DATABASE_PORT: String(postgresByTls.port),
    DATABASE_NAME: database.pathname.slice(1),
    DATABASE_USERNAME: decodeURIComponent(database.username),
    // A server without authentication ignores it.
    DATABASE_PASSWORD: decodeURIComponent(database.password) || 'none',
    DATABASE_CA: authority.pem,
    NODE_EXTRA_CA_CERTS: authority.file,
    ...settings,
  });
}

const untilItSays = (url: string, data: Record<string, string>) =>
  until(`it says ${JSON.stringify(data)}`, async () => {
    const answer = (await (await fetch(`${url}/health/ready`)).json()) as { data?: Record<string, string> };
    return Object.entries(data).every(([name, value]) => answer.data?.[name] === value);
  });

test('Redis, by its name, and Postgres are used over TLS with passwords in their own settings', async () => {
  const service = await aService();
  await untilItSays(service.url, { status: 'ready', redis: 'up', postgres: 'up' });
  const session = await aSession();
  data(await served(() => service.api.start(session.sessionId, session.trainerToken)));
  const live = data(await service.api.live(session.sessionId, session.studentToken));
  expect(live).toMatchObject({ isActive: true });
});

test('Postgres is used by a URL with sslmode=require and a certificate authority in one line', async () => {
  const url = new URL(sharedDatabaseUrl());
  url.host = `localhost:${postgresByTls.port}`;
  url.searchParams.set('sslmode', 'require');
  const parts = ['HOST', 'PORT', 'NAME', 'USERNAME', 'PASSWORD'].map((part) => [`DATABASE_${part}`, '']);
  const service = await aService({
    ...(Object.fromEntries(parts) as Record<string, string>),
    DATABASE_URL: url.href,
    DATABASE_CA: authority.pem.replaceAll('\n', '\\n'),
  });
  await untilItSays(service.url, { status: 'ready', postgres: 'up' });
  const session = await aSession();
  data(await served(() => service.api.start(session.sessionId, session.trainerToken)));
});

test('a Postgres with a certificate of another authority is not used', async () => {
  const service = await aService({ DATABASE_CA: stranger.pem });
  await untilItSays(service.url, { status: 'degraded', postgres: 'down' });
  const session = await aSession();
  const answer = await service.api.start(session.sessionId, session.trainerToken);
  expect(refusal(answer)).toMatchObject({ status: 503, code: 'STATE_UNAVAILABLE' });
  const log = JSON.stringify(service.logLines());
  expect(log).not.toContain(decodeURIComponent(new URL(sharedDatabaseUrl()).password) || 'no password');
});

test('a Redis with a certificate of an unknown authority is not used', async () => {
  const service = await aService({ NODE_EXTRA_CA_CERTS: '' });
  expect((await fetch(`${service.url}/health/ready`)).status).toBe(503);
});

testWithRedisProgram('the nodes of a cluster are used over TLS by their names', async () => {
  const node = await startPrivateRedis({ cluster: true });
  const proxy = await startTlsProxy(node.url, { asked: false, byName: true });
  const announced = { hostname: 'localhost', port: String(proxy.port) };
  for (const [name, value] of Object.entries(announced))
    await node.client.config('SET', `cluster-announce-${name}`, value);
  await node.client.config('SET', 'cluster-preferred-endpoint-type', 'hostname');
  await node.client.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
  try {
    const service = await aService({
      REDIS_URL: `rediss://localhost:${proxy.port}`,
      REDIS_PASSWORD: new URL(node.url).password,
      REDIS_CLUSTER: 'true',
      REDIS_PARTITIONS: '2',
    });
    await untilItSays(service.url, { status: 'ready' });
    const session = await aSession();
    data(await served(() => service.api.start(session.sessionId, session.trainerToken)));
  } finally {
    await proxy.stop();
    await node.stop();
  }
});
