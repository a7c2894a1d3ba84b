import { internalFailure } from '../../src/dev/event-bus/local-event-bus.js';
import { putIntoOutbox } from '../support/outbox-entry.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { runService, type RunningService } from '../support/running-service.js';
import { until } from '../support/until.js';

let redis: PrivateRedis;
let service: RunningService;
beforeEach(async () => {
  redis = await startPrivateRedis();
  service = await runService({ settings: { REDIS_URL: redis.url } });
});
afterEach(async () => {
  await service.stop();
  await redis.stop();
});

test('an event that was deleted while it waited holds up no other', async () => {
  const before = service.bus.calls();
  service.bus.failNext(internalFailure, 2);
  await putIntoOutbox(redis.client);
  await until('the relay holds it', () => service.bus.calls() > before);
  const entries = await redis.client.xrange('journey:outbox', '-', '+');
  await redis.client.xdel('journey:outbox', ...entries.map(([id]) => id));
  const sessionId = await putIntoOutbox(redis.client);
  await until('the other event', () => service.eventsOf(sessionId).length === 1);
});

test.each([
  ['without any field that is known', { type: '', at: '', detail: '' }],
  ['with a time that is none', { at: 'yesterday' }],
  ['with a detail that is no JSON', { detail: '{"eventId":' }],
])('an entry %s in the outbox holds up no other', async (_name, fields) => {
  await putIntoOutbox(redis.client, fields);
  const sessionId = await putIntoOutbox(redis.client);
  await until('the other event', () => service.eventsOf(sessionId).length === 1);
});
