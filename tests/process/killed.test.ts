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

test('what a killed process had read another publishes within ten seconds, and while both live nothing is published twice', async () => {
  const [one, other] = await Promise.all([
    runServiceProcess(bus, settings),
    runServiceProcess(bus, settings),
  ]);
  bus.failWhile(() => ({ kind: 'error', status: 500, code: 'InternalException' }));
  const sessions: ASession[] = [];
  await until('both have events', async () => {
    const [session] = await aFewSessions(1);
    if (session === undefined || (await fiveCalls.start(one.url, session)).status !== 201) return false;
    sessions.push(session);
    return (await owners()).length === 2;
  });
  const [before, bothSinceMs] = [await owners(), performance.now()];
  await until('longer than a process may be silent', () => performance.now() - bothSinceMs > 7_000);
  expect((await owners()).map(([consumer]) => consumer)).toEqual(before.map(([consumer]) => consumer));

  one.kill('SIGKILL');
  await one.exited;
  const killedAtMs = performance.now();
  bus.failWhile(undefined);
  await until('all events', () => sessions.every((session) => eventIdsOf(session).length > 0), 20_000);
  expect(performance.now() - killedAtMs).toBeLessThan(10_000);
  expect(sessions.map((session) => eventIdsOf(session).length)).toEqual(sessions.map(() => 1));
  await until('nothing is left', async () => (await redis.client.xlen(OUTBOX_KEY)) === 0);
  expect(await owners()).toEqual([]);
  const consumers = await redis.client.xinfo('CONSUMERS', OUTBOX_KEY, GROUP);
  expect(consumers).toHaveLength(1);
  other.kill('SIGKILL');
  await other.exited;
});

test('events of a time without EventBridge are published when it is back, in one process', async () => {
  const proxy = await startTcpProxy(bus.url);
  const service = await runServiceProcess({ ...bus, url: `http://127.0.0.1:${proxy.port}` }, settings);
  proxy.cut();
  const sessions = await aFewSessions(25);
  const answers = await Promise.all(sessions.map((session) => fiveCalls.start(service.url, session)));
  expect(answers.map(({ status }) => status)).toEqual(sessions.map(() => 201));
  await until('they are pending', async () => (await owners()).length > 0);
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

/** How many entries are pending for which process. */
async function owners(): Promise<[consumer: string, count: string][]> {
  const [, , , counts] = await redis.client.xpending(OUTBOX_KEY, GROUP);
  return (counts ?? []) as [string, string][];
}
