import { randomUUID } from 'node:crypto';
import { OUTBOX_KEY } from '../../src/store/keys.js';
import { putIntoOutbox } from '../support/outbox-entry.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { runService, type RunningService } from '../support/running-service.js';
import { testOfTheSource } from '../support/service-process.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

const GROUP = 'relay';

let redis: PrivateRedis;
let service: RunningService | undefined;
beforeEach(async () => {
  redis = await startPrivateRedis();
});
afterEach(async () => {
  jest.restoreAllMocks();
  await service?.stop();
  service = undefined;
  await redis.stop();
});

test('a starting process claims entries that have been idle for two minutes', async () => {
  const [sessionId] = await pendingOfAnother(1, 120_000);
  service = await aService();
  await until('the event', () => service?.eventsOf(String(sessionId)).length === 1);
  await until('nothing is left', async () => (await redis.client.xlen(OUTBOX_KEY)) === 0);
});

testOfTheSource('a running process claims idle entries every ten seconds', async () => {
  service = await aService();
  const first = await putIntoOutbox(redis.client);
  await until('it is running', () => service?.eventsOf(first).length === 1);
  const sessionIds = await pendingOfAnother(20, 120_000);
  // Moves the service's clock instead of waiting.
  const realNow = Date.now.bind(Date);
  let aheadMs = 0;
  jest.spyOn(Date, 'now').mockImplementation(() => realNow() + aheadMs);
  await until('all events', () => {
    aheadMs += 500;
    return sessionIds.every((sessionId) => service?.eventsOf(sessionId).length === 1);
  });
});

test('entries that have been idle for a few seconds are not claimed', async () => {
  const [sessionId] = await pendingOfAnother(1, 5_000);
  service = await aService();
  const own = await putIntoOutbox(redis.client);
  await until('its own event', () => service?.eventsOf(own).length === 1);
  await until('its own is acknowledged', async () => (await redis.client.xlen(OUTBOX_KEY)) === 1);
  expect(service.eventsOf(String(sessionId))).toEqual([]);
  const pending = (await redis.client.xpending(OUTBOX_KEY, GROUP, '-', '+', 10)) as [string, string][];
  expect(pending.map(([, consumer]) => consumer)).toEqual(['another-process']);
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
async function pendingOfAnother(count: number, idleMs: number): Promise<string[]> {
  const name = 'another-process';
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
  const pending = (await redis.client.xpending(OUTBOX_KEY, GROUP, '-', '+', count, name)) as [string][];
  for (const [id] of pending) {
    await redis.client.call('XCLAIM', OUTBOX_KEY, GROUP, name, 0, id, 'IDLE', idleMs, 'JUSTID');
  }
  return sessionIds;
}
