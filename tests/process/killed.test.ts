import { startLocalEventBus, type LocalEventBus } from '../../src/dev/event-bus/local-event-bus.js';
import { OUTBOX_KEY } from '../../src/store/keys.js';
import { aSession, type ASession } from '../support/a-session.js';
import { fiveCalls } from '../support/five-calls.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { runServiceProcess } from '../support/service-process.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

const GROUP = 'relay';

let redis: PrivateRedis;
let bus: LocalEventBus;
let settings: Record<string, string>;
beforeEach(async () => {
  redis = await startPrivateRedis();
  bus = await startLocalEventBus();
  settings = { REDIS_URL: redis.url };
});
afterEach(async () => {
  await bus.stop();
  await redis.stop();
});

test('a process killed with events pending loses nothing: the next one publishes those it had read and those it had not', async () => {
  const killed = await runServiceProcess(bus, settings);
  bus.failWhile(() => ({ kind: 'error', status: 500, code: 'InternalException' }));
  const sessions = await aFewSessions(12);
  for (const session of sessions) expect((await fiveCalls.start(killed.url, session)).status).toBe(201);
  await until('some are pending', async () => (await pendingIds()).length > 0);
  killed.kill('SIGKILL');
  expect((await killed.exited).signal).toBe('SIGKILL');
  const unread = await aFewSessions(1);
  await longAgo();
  bus.failWhile(undefined);

  const next = await runServiceProcess(bus, settings);
  for (const session of unread) expect((await fiveCalls.start(next.url, session)).status).toBe(201);
  await until('all events', () =>
    [...sessions, ...unread].every((session) => eventIdsOf(session).length > 0),
  );
  expect(sessions.map((session) => new Set(eventIdsOf(session)).size)).toEqual(sessions.map(() => 1));
  await until('nothing is left', async () => (await redis.client.xlen(OUTBOX_KEY)) === 0);
  next.kill('SIGKILL');
  await next.exited;
});

test('events of a time without EventBridge are published when it is back, in one process', async () => {
  const proxy = await startTcpProxy(bus.url);
  const service = await runServiceProcess({ ...bus, url: `http://127.0.0.1:${proxy.port}` }, settings);
  proxy.cut();
  const sessions = await aFewSessions(25);
  const answers = await Promise.all(sessions.map((session) => fiveCalls.start(service.url, session)));
  expect(answers.map(({ status }) => status)).toEqual(sessions.map(() => 201));
  await until('they are pending', async () => (await pendingIds()).length > 0);
  expect(bus.received()).toEqual([]);
  proxy.heal();
  await until('all events', () => sessions.every((session) => eventIdsOf(session).length > 0), 20_000);
  service.kill('SIGKILL');
  await service.exited;
  await proxy.stop();
});

function aFewSessions(count: number): Promise<ASession[]> {
  return Promise.all(Array.from({ length: count }, () => aSession()));
}

function eventIdsOf({ sessionId }: ASession): unknown[] {
  return bus
    .received()
    .flatMap(({ detail }) => (detail['sessionId'] === sessionId ? [detail['eventId']] : []));
}

type Pending = [id: string, consumer: string, idleMs: number, deliveries: number][];

async function pendingIds(): Promise<Pending> {
  return (await redis.client.xpending(OUTBOX_KEY, GROUP, '-', '+', 1_000)) as Pending;
}

/** Makes the pending entries idle for two minutes. */
async function longAgo(): Promise<void> {
  for (const [id, consumer] of await pendingIds()) {
    await redis.client.call('XCLAIM', OUTBOX_KEY, GROUP, consumer, 0, id, 'IDLE', 120_000, 'JUSTID');
  }
}
