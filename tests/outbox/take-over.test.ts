import { randomUUID } from 'node:crypto';
import { OUTBOX_KEY, RELAYS_KEY } from '../../src/store/keys.js';
import { putIntoOutbox } from '../support/outbox-entry.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { runService, type RunningService } from '../support/running-service.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

const GROUP = 'relay';
const ANOTHER = 'another-process';

let redis: PrivateRedis;
let service: RunningService | undefined;
beforeEach(async () => {
  redis = await startPrivateRedis();
});
afterEach(async () => {
  await service?.stop();
  service = undefined;
  await redis.stop();
});

test('a starting process claims the entries of one that died, and deletes its consumer', async () => {
  const [sessionId] = await pendingOfAnother(1);
  await redis.client.zadd(RELAYS_KEY, Date.now() - 60_000, ANOTHER);
  service = await aService();
  await until('the event', () => service?.eventsOf(String(sessionId)).length === 1);
  await until('nothing is left', async () => (await redis.client.xlen(OUTBOX_KEY)) === 0);
  expect(await redis.client.zscore(RELAYS_KEY, ANOTHER)).toBeNull();
  expect(JSON.stringify(await redis.client.xinfo('CONSUMERS', OUTBOX_KEY, GROUP))).not.toContain(ANOTHER);
});

test('the entries of a process that lives are not claimed, however long they are pending', async () => {
  const lives = setInterval(() => void redis.client.zadd(RELAYS_KEY, Date.now(), ANOTHER), 500);
  try {
    const [sessionId] = await pendingOfAnother(1);
    service = await aService();
    const dead = await pendingOfAnother(1, 'a-dead-process');
    await redis.client.zadd(RELAYS_KEY, Date.now() - 60_000, 'a-dead-process');
    await until('those of a dead one', () => service?.eventsOf(String(dead[0])).length === 1);
    expect(service.eventsOf(String(sessionId))).toEqual([]);
    const pending = (await redis.client.xpending(OUTBOX_KEY, GROUP, '-', '+', 10)) as [string, string][];
    expect(pending.map(([, consumer]) => consumer)).toEqual([ANOTHER]);
  } finally {
    clearInterval(lives);
  }
});

test('an event is published again if Redis fails before the acknowledgement', async () => {
  const proxy = await startTcpProxy(redis.url);
  service = await runService({ settings: { REDIS_URL: proxy.urlFor(redis.url) } });
  const { bus, eventsOf } = service;
  try {
    let isCut = false;
    bus.failWhile(() => {
      if (!isCut) proxy.cut();
      isCut = true;
      return undefined;
    });
    const sessionId = await putIntoOutbox(redis.client);
    await until('the event', () => eventsOf(sessionId).length === 1);
    proxy.heal();
    await until('the repeat', () => eventsOf(sessionId).length === 2);
    const [first, second] = eventsOf(sessionId);
    expect(second?.detail).toEqual(first?.detail);
    await until('nothing is left', async () => (await redis.client.xlen(OUTBOX_KEY)) === 0);
  } finally {
    await proxy.stop();
  }
});

test('each event is published by one of two services', async () => {
  service = await aService();
  const second = await aService();
  try {
    const sessionIds = await Promise.all(Array.from({ length: 40 }, () => putIntoOutbox(redis.client)));
    await until('nothing is left', async () => (await redis.client.xlen(OUTBOX_KEY)) === 0);
    const counts = sessionIds.map(
      (sessionId) => (service?.eventsOf(sessionId).length ?? 0) + second.eventsOf(sessionId).length,
    );
    expect(counts).toEqual(sessionIds.map(() => 1));
  } finally {
    await second.stop();
  }
});

function aService(): Promise<RunningService> {
  return runService({ settings: { REDIS_URL: redis.url } });
}

/** Entries that another process has read and not acknowledged, like a killed one. */
async function pendingOfAnother(count: number, name = ANOTHER): Promise<string[]> {
  await redis.client.xgroup('CREATE', OUTBOX_KEY, GROUP, '0', 'MKSTREAM').catch(() => undefined);
  const transaction = redis.client.multi();
  const sessionIds = Array.from({ length: count }, () => randomUUID());
  for (const sessionId of sessionIds) {
    const detail = JSON.stringify({ eventId: randomUUID(), sessionId });
    transaction.xadd(OUTBOX_KEY, '*', 'type', 'TrainerJourneyStarted', 'at', Date.now(), 'detail', detail);
  }
  // In the same transaction, so that no service reads them first.
  transaction.xreadgroup('GROUP', GROUP, name, 'STREAMS', OUTBOX_KEY, '>');
  await transaction.exec();
  return sessionIds;
}
