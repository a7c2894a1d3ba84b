import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { events } from '../../src/contract/events.js';
import { internalFailure, type ReceivedEvent } from '../../src/dev/event-bus/local-event-bus.js';
import { aJourney } from '../support/a-journey.js';
import { aSession, metersNorth } from '../support/a-session.js';
import { data } from '../support/api.js';
import type { RunningService } from '../support/running-service.js';
import { tokenFor } from '../support/tokens.js';
import { EVENT_ID } from '../support/two-services.js';
import { OwnService } from './own-service.js';

let own: OwnService;
let service: RunningService;
beforeAll(async () => {
  own = await OwnService.start();
  ({ service } = own);
  // The SDK resolves the address of its bus at the first call, before another service of this file starts.
  await own.published(await own.put());
});
afterEach(() => {
  service.bus.failWhile(undefined);
});
afterAll(() => own.stop());

function expectEvent(
  event: ReceivedEvent | undefined,
  detailType: keyof typeof events,
  detail: object,
): void {
  expect(event).toMatchObject({ bus: 'application-events', source: 'admin-service', detailType });
  expect(event?.detail).toEqual({ eventId: expect.stringMatching(EVENT_ID) as string, ...detail });
  events[detailType].strict().parse(event?.detail);
}

test('a start and an arrival are published with exactly the fields of the contract', async () => {
  const { sessionId, trainerId, studentId, trainerToken } = await aSession();
  const ids = { sessionId, trainerId, studentId };
  const { startedAt } = data(await service.api.start(sessionId, trainerToken));
  const [started] = await own.published(sessionId);
  expectEvent(started, 'TrainerJourneyStarted', { ...ids, startTime: startedAt });
  data(await service.api.update(trainerToken, { sessionId, ...metersNorth(20), accuracy: 5 }));
  const { arrivedAt } = data(await service.api.arrived(sessionId, trainerToken));
  const [, ended] = await own.published(sessionId, 2);
  expectEvent(ended, 'TrainerJourneyEnded', { ...ids, endTime: arrivedAt, reason: 'arrived' });
});

test.each(['trainer', 'admin'] as const)('a stop by the %s is published as cancelled', async (role) => {
  const { sessionId, trainerId, studentId, trainerToken } = await aJourney(service.api);
  const token = role === 'trainer' ? trainerToken : await tokenFor(randomUUID(), role);
  const { stoppedAt } = data(await service.api.stop(sessionId, token));
  const [, ended] = await own.published(sessionId, 2);
  const detail = { sessionId, trainerId, studentId, endTime: stoppedAt, reason: 'cancelled' };
  expectEvent(ended, 'TrainerJourneyEnded', detail);
});

test('a refused or repeated start, stop or arrival publishes no event', async () => {
  const { sessionId, trainerToken } = await aSession();
  const call = (name: 'start' | 'stop' | 'arrived') =>
    service.api[name](sessionId, trainerToken, { 'Idempotency-Key': name });
  await service.api.stop(sessionId, trainerToken);
  await service.api.arrived(sessionId, trainerToken);
  for (let times = 2; times > 0; times--) data(await call('start'));
  await service.api.start(sessionId, trainerToken);
  await service.api.arrived(sessionId, trainerToken);
  for (let times = 2; times > 0; times--) data(await call('stop'));
  await service.api.stop(sessionId, trainerToken);
  await own.everythingPublished();
  const types = service.eventsOf(sessionId).map(({ detailType }) => detailType);
  expect(types).toEqual(['TrainerJourneyStarted', 'TrainerJourneyEnded']);
});

test('many events are published once each, in calls of at most ten', async () => {
  const sizes: number[] = [];
  // While the relay backs off after this failure, the events gather.
  service.bus.failNext(internalFailure);
  service.bus.failWhile((entries) => {
    sizes.push(entries.length);
    return undefined;
  });
  const sessionIds = await own.putMany(64);
  await own.everythingPublished();
  expect(Math.max(...sizes)).toBeLessThanOrEqual(10);
  expect(Math.max(...sizes)).toBeGreaterThan(1);
  expect(sessionIds.map((sessionId) => service.eventsOf(sessionId).length)).toEqual(sessionIds.map(() => 1));
});

test('events are published to EVENT_BRIDGE_BUS_NAME', async () => {
  const other = await OwnService.start({ EVENT_BRIDGE_BUS_NAME: 'another-bus' });
  try {
    expect(await other.published(await other.put())).toMatchObject([{ bus: 'another-bus' }]);
  } finally {
    await other.stop();
  }
});

test('a hundred thousand events are kept while EventBridge is unavailable', async () => {
  const other = await OwnService.start();
  try {
    other.service.bus.failWhile(() => internalFailure);
    const fill = `for i = 1, 100000 do redis.call('XADD', KEYS[1], '*', 'type', 'x', 'at', '0', 'detail', '{}') end`;
    await other.redis.eval(fill, 1, 'journey:outbox');
    await aJourney(other.service.api);
    expect(await other.redis.xlen('journey:outbox')).toBe(100_001);
    await other.redis.del('journey:outbox');
  } finally {
    await other.stop();
  }
});

test('events in quick succession share calls to the bus', async () => {
  await own.everythingPublished();
  const callsBefore = service.bus.calls();
  const beganMs = performance.now();
  const sessionIds: string[] = [];
  for (let count = 0; count < 40; count++) {
    sessionIds.push(await own.put());
    // Like phones: in quick succession, but not all at once.
    await pause(5);
  }
  for (const sessionId of sessionIds) await own.published(sessionId);
  // One call per 100 ms, one for the first event, and one more for every ten that came in that time.
  const most = Math.ceil((performance.now() - beganMs) / 100) + 1 + 40 / 10;
  expect(service.bus.calls() - callsBefore).toBeLessThanOrEqual(most);
});
