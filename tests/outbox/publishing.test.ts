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
  // The SDK resolves the address of its bus at the first call, before another service of this file starts.
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

test('a start is published with exactly the fields of the contract', async () => {
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

test('an arrival is published with reason arrived and the time of the response', async () => {
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

test('a stop by the trainer is published with reason cancelled and the time of the response', async () => {
  const session = await aSession();
  await start(session);
  const { stoppedAt } = data(await service.api.stop(session.sessionId, session.trainerToken));
  const [, event] = await eventsOf(session.sessionId, 2);
  expect(event?.detail).toMatchObject({ reason: 'cancelled', endTime: stoppedAt });
});

test("a stop by an admin is published with the journey's trainer", async () => {
  const session = await aSession();
  await start(session);
  data(await service.api.stop(session.sessionId, await tokenFor(crypto.randomUUID(), 'admin')));
  const [, event] = await eventsOf(session.sessionId, 2);
  expect(event?.detail).toMatchObject({ reason: 'cancelled', trainerId: session.trainerId });
});

test('every detail has exactly the fields of its schema, so no coordinate', async () => {
  const session = await aSession();
  await start(session);
  data(await service.api.update(session.trainerToken, { sessionId: session.sessionId, ...metersNorth(20) }));
  data(await service.api.arrived(session.sessionId, session.trainerToken));
  const published = await eventsOf(session.sessionId, 3);
  expect(published.map(({ detailType }) => detailType).sort()).toEqual([
    'TrainerJourneyEnded',
    'TrainerJourneyStarted',
    'TrainerNearby',
  ]);
  for (const { detailType, detail } of published) {
    events[detailType as keyof typeof events].strict().parse(detail);
  }
});

test('events of two journeys of one session have different ids', async () => {
  const session = await aSession();
  for (let journey = 2; journey > 0; journey--) {
    await start(session);
    data(await service.api.stop(session.sessionId, session.trainerToken));
  }
  const published = await eventsOf(session.sessionId, 4);
  expect(new Set(published.map(({ detail }) => detail['eventId'])).size).toBe(4);
});

test('a refused start, stop or arrival publishes no event', async () => {
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

test('a call repeated with its Idempotency-Key publishes one event', async () => {
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

test('many events are published once each, in calls of at most ten', async () => {
  const sizes: number[] = [];
  // While the relay backs off after this failure, the events gather.
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

test('events are published to EVENT_BRIDGE_BUS_NAME', async () => {
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

test('events in quick succession share calls to the bus', async () => {
  await everythingPublished();
  const callsBefore = service.bus.calls();
  const beganMs = performance.now();
  const sessionIds: string[] = [];
  for (let count = 0; count < 40; count++) {
    sessionIds.push(await putIntoOutbox(redis.client));
    // Like phones: in quick succession, but not all at once.
    await pause(5);
  }
  await until('all are published', () => sessionIds.every((id) => service.eventsOf(id).length > 0));
  // One call per 100 ms, one for the first event, and one more for every ten that came in that time.
  const most = Math.ceil((performance.now() - beganMs) / 100) + 1 + 40 / 10;
  expect(service.bus.calls() - callsBefore).toBeLessThanOrEqual(most);
});

async function start({ sessionId, trainerToken }: ASession): Promise<void> {
  data(await service.api.start(sessionId, trainerToken));
}

async function eventsOf(sessionId: string, count: number): Promise<ReceivedEvent[]> {
  return until(`${count} events`, () => {
    const published = service.eventsOf(sessionId);
    return published.length >= count && published;
  });
}

async function everythingPublished(): Promise<void> {
  await until('the outbox is empty', async () => (await redis.client.xlen('journey:outbox')) === 0, 20_000);
}
