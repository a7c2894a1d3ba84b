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

test('a pending event that was deleted does not delay others', async () => {
  const before = service.bus.calls();
  service.bus.failNext(internalFailure, 2);
  await putIntoOutbox(redis.client);
  await until('the relay has read it', () => service.bus.calls() > before);
  const entries = await redis.client.xrange('journey:outbox', '-', '+');
  await redis.client.xdel('journey:outbox', ...entries.map(([id]) => id));
  const sessionId = await putIntoOutbox(redis.client);
  await until('the other event', () => service.eventsOf(sessionId).length === 1);
});

test.each([
  ['without known fields', { type: '', at: '', detail: '' }],
  ['with an invalid time', { at: 'yesterday' }],
  ['with a detail that is not JSON', { detail: '{"eventId":' }],
])('an entry %s does not delay others', async (_name, fields) => {
  await putIntoOutbox(redis.client, fields);
  const sessionId = await putIntoOutbox(redis.client);
  await until('the other event', () => service.eventsOf(sessionId).length === 1);
});

test.each([
  ['an empty object', {}],
  ['an entry without an id', { FailedEntryCount: 0, Entries: [{}] }],
  ['an entry that failed without a code', { FailedEntryCount: 1, Entries: [{ ErrorMessage: 'no' }] }],
])('an event is retried if the bus answers 200 with %s', async (_name, answer) => {
  service.bus.failNext({ kind: 'answer', body: answer }, 2);
  const sessionId = await putIntoOutbox(redis.client);
  await until('it is published', () => service.eventsOf(sessionId).length === 1);
});

test('an entry that fails the whole call does not delay others', async () => {
  const isBad = ({ Detail }: { Detail?: unknown }) => String(Detail).includes('the bad one');
  service.bus.failWhile((entries) =>
    entries.some(isBad) ? { kind: 'error', status: 400, code: 'SerializationException' } : undefined,
  );
  await putIntoOutbox(redis.client, { detail: '{"eventId":"the bad one"}' });
  const sessionId = await putIntoOutbox(redis.client);
  await until('the other event', () => service.eventsOf(sessionId).length === 1);
});
