import { randomUUID } from 'node:crypto';
import { OUTBOX_KEY } from '../../src/store/keys.js';
import { putIntoOutbox } from '../support/outbox-entry.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { runService, type RunningService } from '../support/running-service.js';
import { testOfTheSource } from '../support/service-process.js';
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

test('a process that starts takes over at once what a dead one has held for two minutes', async () => {
  const [sessionId] = await heldByAnother(1, 120_000);
  service = await aService();
  await until('the event', () => service?.eventsOf(String(sessionId)).length === 1);
  await until('nothing is left', async () => (await redis.client.xlen(OUTBOX_KEY)) === 0);
});

testOfTheSource(
  'a process that is up looks around again within ten seconds, and takes over all that a dead one held',
  async () => {
    service = await aService();
    const first = await putIntoOutbox(redis.client);
    await until('it is at work', () => service?.eventsOf(first).length === 1);
    const sessionIds = await heldByAnother(20, 120_000);
    // Its own clock goes on by ten seconds at each look, so that nothing has to be waited for.
    const realNow = Date.now.bind(Date);
    let aheadMs = 0;
    jest.spyOn(Date, 'now').mockImplementation(() => realNow() + aheadMs);
    await until('all events', () => {
      aheadMs += 500;
      return sessionIds.every((sessionId) => service?.eventsOf(sessionId).length === 1);
    });
  },
);

test('what another process holds since a few seconds stays with it', async () => {
  const [sessionId] = await heldByAnother(1, 5_000);
  service = await aService();
  const own = await putIntoOutbox(redis.client);
  await until('its own event', () => service?.eventsOf(own).length === 1);
  // An entry is finished a moment after the bus took it.
  await until('its own is finished', async () => (await redis.client.xlen(OUTBOX_KEY)) === 1);
  expect(service.eventsOf(String(sessionId))).toEqual([]);
  const pending = (await redis.client.xpending(OUTBOX_KEY, GROUP, '-', '+', 10)) as [string, string][];
  expect(pending.map(([, consumer]) => consumer)).toEqual(['another-process']);
});

test('of two services on one Redis each event is published by one', async () => {
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

/** Events that another process has read and not finished, as one that was killed leaves them. */
async function heldByAnother(count: number, idleMs: number): Promise<string[]> {
  const name = 'another-process';
  await redis.client.xgroup('CREATE', OUTBOX_KEY, GROUP, '0', 'MKSTREAM').catch(() => undefined);
  const transaction = redis.client.multi();
  const sessionIds = Array.from({ length: count }, () => randomUUID());
  for (const sessionId of sessionIds) {
    const detail = JSON.stringify({ eventId: randomUUID(), sessionId });
    transaction.xadd(OUTBOX_KEY, '*', 'type', 'TrainerJourneyStarted', 'at', Date.now(), 'detail', detail);
  }
  // In one step with the writing, so that no service reads them first.
  transaction.xreadgroup('GROUP', GROUP, name, 'STREAMS', OUTBOX_KEY, '>');
  await transaction.exec();
  const pending = (await redis.client.xpending(OUTBOX_KEY, GROUP, '-', '+', count, name)) as [string][];
  for (const [id] of pending) {
    await redis.client.call('XCLAIM', OUTBOX_KEY, GROUP, name, 0, id, 'IDLE', idleMs, 'JUSTID');
  }
  return sessionIds;
}
