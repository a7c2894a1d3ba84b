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

test.each([
  ['an empty object', {}],
  ['an entry without an id', { FailedEntryCount: 0, Entries: [{}] }],
  ['an entry that failed without a code', { FailedEntryCount: 1, Entries: [{ ErrorMessage: 'no' }] }],
])('an event is tried again where the bus answers 200 with %s', async (_name, answer) => {
  service.bus.failNext({ kind: 'answer', body: answer }, 2);
  const sessionId = await putIntoOutbox(redis.client);
  await until('it is published', () => service.eventsOf(sessionId).length === 1);
});

test('an entry that makes the whole call fail holds up no other', async () => {
  const isBad = ({ Detail }: { Detail?: unknown }) => String(Detail).includes('the bad one');
  service.bus.failWhile((entries) =>
    entries.some(isBad) ? { kind: 'error', status: 400, code: 'SerializationException' } : undefined,
  );
  await putIntoOutbox(redis.client, { detail: '{"eventId":"the bad one"}' });
  const sessionId = await putIntoOutbox(redis.client);
  await until('the other event', () => service.eventsOf(sessionId).length === 1);
});
