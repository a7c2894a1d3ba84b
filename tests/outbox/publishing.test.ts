import { setTimeout as pause } from 'node:timers/promises';
import { events } from '../../src/contract/events.js';
import type { ReceivedEvent } from '../../src/dev/event-bus/local-event-bus.js';
import { aSession, metersNorth, type ASession } from '../support/a-session.js';
import { data } from '../support/api.js';
import { putIntoOutbox } from '../support/outbox-entry.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { runService, type RunningService } from '../support/running-service.js';
import { tokenFor } from '../support/tokens.js';
import { until } from '../support/until.js';

let redis: PrivateRedis;
let service: RunningService;
beforeAll(async () => {
  redis = await startPrivateRedis();
  service = await runService({ settings: { REDIS_URL: redis.url } });
  // The SDK looks up the address of its bus at the first call; no other service of this file may come before.
  const sessionId = await putIntoOutbox(redis.client);
  await until('a first event', () => service.eventsOf(sessionId).length > 0);
});
afterEach(() => {
  service.bus.failWhile(undefined);
});
afterAll(async () => {
  await service.stop();
  await redis.stop();
});

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('a started journey is told with exactly the fields of the contract', async () => {
  const { sessionId, trainerId, studentId, trainerToken } = await aSession();
  const { startedAt } = data(await service.api.start(sessionId, trainerToken));
  const [event] = await eventsOf(sessionId, 1);
  expect(event).toMatchObject({
    bus: 'application-events',
    source: 'admin-service',
    detailType: 'TrainerJourneyStarted',
  });
  expect(event?.detail).toEqual({
    eventId: expect.stringMatching(uuid) as string,
    trainerId,
    studentId,
    sessionId,
    startTime: startedAt,
  });
});

test('an arrival is told with reason arrived and the time of the answer', async () => {
  const session = await aSession();
  const { sessionId, trainerId, studentId, trainerToken } = session;
  await start(session);
  data(await service.api.update(trainerToken, { sessionId, ...metersNorth(20), accuracy: 5 }));
  const { arrivedAt } = data(await service.api.arrived(sessionId, trainerToken));
  const [, , event] = await eventsOf(sessionId, 3);
  expect(event).toMatchObject({
    bus: 'application-events',
    source: 'admin-service',
    detailType: 'TrainerJourneyEnded',
  });
  expect(event?.detail).toEqual({
    eventId: expect.stringMatching(uuid) as string,
    trainerId,
    studentId,
    sessionId,
    endTime: arrivedAt,
    reason: 'arrived',
  });
});

test('a stop by the trainer is told with reason cancelled and the time of the answer', async () => {
  const session = await aSession();
  await start(session);
  const { stoppedAt } = data(await service.api.stop(session.sessionId, session.trainerToken));
  const [, event] = await eventsOf(session.sessionId, 2);
  expect(event?.detail).toMatchObject({ reason: 'cancelled', endTime: stoppedAt });
});

test("a stop by an admin is told with the journey's trainer, not the admin", async () => {
  const session = await aSession();
  await start(session);
  data(await service.api.stop(session.sessionId, await tokenFor(crypto.randomUUID(), 'admin')));
  const [, event] = await eventsOf(session.sessionId, 2);
  expect(event?.detail).toMatchObject({ reason: 'cancelled', trainerId: session.trainerId });
});

test('every detail is of the form that the OpenAPI document promises, and has no coordinate', async () => {
  const session = await aSession();
  await start(session);
  data(await service.api.update(session.trainerToken, { sessionId: session.sessionId, ...metersNorth(20) }));
  data(await service.api.arrived(session.sessionId, session.trainerToken));
  for (const { detailType, detail } of await eventsOf(session.sessionId, 2)) {
    events[detailType as keyof typeof events].strict().parse(detail);
  }
});

test('two journeys of the same session are told by events of different ids', async () => {
  const session = await aSession();
  for (let journey = 2; journey > 0; journey--) {
    await start(session);
    data(await service.api.stop(session.sessionId, session.trainerToken));
  }
  const told = await eventsOf(session.sessionId, 4);
  expect(new Set(told.map(({ detail }) => detail['eventId'])).size).toBe(4);
});

test('a refused start, stop or arrival is told by no event', async () => {
  const session = await aSession();
  const { sessionId, trainerToken } = session;
  await service.api.stop(sessionId, trainerToken);
  await service.api.arrived(sessionId, trainerToken);
  await start(session);
  await service.api.start(sessionId, trainerToken);
  await service.api.arrived(sessionId, trainerToken);
  data(await service.api.stop(sessionId, trainerToken));
  await service.api.stop(sessionId, trainerToken);
  await everythingPublished();
  expect(service.eventsOf(sessionId).map(({ detailType }) => detailType)).toEqual([
    'TrainerJourneyStarted',
    'TrainerJourneyEnded',
  ]);
});

test('a call repeated with its Idempotency-Key is told once', async () => {
  const session = await aSession();
  for (let times = 3; times > 0; times--) {
    data(await service.api.start(session.sessionId, session.trainerToken, { 'Idempotency-Key': 'start' }));
  }
  for (let times = 3; times > 0; times--) {
    data(await service.api.stop(session.sessionId, session.trainerToken, { 'Idempotency-Key': 'stop' }));
  }
  await everythingPublished();
  expect(service.eventsOf(session.sessionId)).toHaveLength(2);
});

test('many events at once go out in calls of at most ten, each event once', async () => {
  const sizes: number[] = [];
  // The first call fails, so that all the others wait and are there together.
  service.bus.failNext({ kind: 'error', status: 500, code: 'InternalException' });
  service.bus.failWhile((entries) => {
    sizes.push(entries.length);
    return undefined;
  });
  const sessionIds = await Promise.all(Array.from({ length: 64 }, () => putIntoOutbox(redis.client)));
  await everythingPublished();
  expect(Math.max(...sizes)).toBeLessThanOrEqual(10);
  expect(Math.max(...sizes)).toBeGreaterThan(1);
  expect(sessionIds.map((sessionId) => service.eventsOf(sessionId).length)).toEqual(sessionIds.map(() => 1));
});

test('large events go out in calls of at most 256 KB', async () => {
  const bytes: number[] = [];
  service.bus.failWhile((entries) => {
    const texts = entries.map(({ Source, DetailType, Detail }) => [Source, DetailType, Detail].join(''));
    bytes.push(Buffer.byteLength(texts.join('')) + 14 * entries.length);
    return undefined;
  });
  const detail = JSON.stringify({ text: 'x'.repeat(90_000) });
  await Promise.all(Array.from({ length: 9 }, () => putIntoOutbox(redis.client, { detail })));
  await everythingPublished();
  expect(Math.max(...bytes)).toBeLessThanOrEqual(256 * 1024);
});

test('what is published leaves the outbox, in the stream and in the group', async () => {
  await start(await aSession());
  await everythingPublished();
  const pending = await redis.client.xpending('journey:outbox', 'relay');
  expect(pending[0]).toBe(0);
});

test('the bus of the setting EVENT_BRIDGE_BUS_NAME is used', async () => {
  const other = await startPrivateRedis();
  const named = await runService({
    settings: { REDIS_URL: other.url, EVENT_BRIDGE_BUS_NAME: 'another-bus' },
  });
  try {
    const sessionId = await putIntoOutbox(other.client);
    const [event] = await until(
      'the event',
      () => named.eventsOf(sessionId).length > 0 && named.eventsOf(sessionId),
    );
    expect(event).toMatchObject({ bus: 'another-bus' });
  } finally {
    await named.stop();
    await other.stop();
  }
});

test('events that follow one another closely share calls to the bus', async () => {
  // Nothing of the tests before.
  await everythingPublished();
  const callsBefore = service.bus.calls();
  const beganMs = performance.now();
  const sessionIds: string[] = [];
  for (let count = 0; count < 40; count++) {
    sessionIds.push(await putIntoOutbox(redis.client));
    // They come as from phones, not all at once.
    await pause(5);
  }
  await until('all are told', () => sessionIds.every((id) => service.eventsOf(id).length > 0));
  // One call for each 100 ms, one for the first, and one more for each ten where many came in that time.
  const most = Math.ceil((performance.now() - beganMs) / 100) + 1 + 40 / 10;
  expect(service.bus.calls() - callsBefore).toBeLessThanOrEqual(most);
});

async function start({ sessionId, trainerToken }: ASession): Promise<void> {
  data(await service.api.start(sessionId, trainerToken));
}

async function eventsOf(sessionId: string, count: number): Promise<ReceivedEvent[]> {
  return until(`${count} events`, () => {
    const told = service.eventsOf(sessionId);
    return told.length >= count && told;
  });
}

async function everythingPublished(): Promise<void> {
  await until('the outbox is empty', async () => (await redis.client.xlen('journey:outbox')) === 0, 20_000);
}
