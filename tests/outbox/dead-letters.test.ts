import { randomUUID } from 'node:crypto';
import { internalFailure, type Trouble } from '../../src/dev/event-bus/local-event-bus.js';
import { DEAD_LETTERS_KEY } from '../../src/store/keys.js';
import { metric, type RunningService } from '../support/running-service.js';
import { until } from '../support/until.js';
import { OwnService } from './own-service.js';

let own: OwnService;
let service: RunningService;
beforeAll(async () => {
  own = await OwnService.start();
  ({ service } = own);
});
afterEach(() => {
  service.bus.failWhile(undefined);
});
afterAll(() => own.stop());

const refusing =
  (code: string) =>
  (sessionId: string): Trouble => ({
    kind: 'refuse',
    code,
    refuses: ({ detail }) => detail['sessionId'] === sessionId,
  });

/** Puts an event that the bus refuses. Returns its session. */
async function aRefusedEvent(troubleFor: (sessionId: string) => Trouble): Promise<string> {
  const sessionId = randomUUID();
  service.bus.failWhile((entries) =>
    entries.some(({ Detail }) => String(Detail).includes(sessionId)) ? troubleFor(sessionId) : undefined,
  );
  await own.put({ detail: JSON.stringify({ eventId: randomUUID(), sessionId }) });
  return sessionId;
}

async function deadLetterOf(sessionId: string): Promise<Record<string, string>> {
  const fields = await until('the dead letter', async () => {
    const entries = await own.redis.xrevrange(DEAD_LETTERS_KEY, '+', '-', 'COUNT', 100);
    const [letter, ...others] = entries.filter(([, pairs]) => pairs.join().includes(sessionId));
    expect(others).toEqual([]);
    return letter?.[1];
  });
  return Object.fromEntries(
    fields.flatMap((name, index) => (index % 2 === 0 ? [[name, fields[index + 1] ?? ''] as const] : [])),
  );
}

/** EventBridge's non-retryable codes: its API Reference, PutEventsResultEntry. */
const NON_RETRYABLE = [
  ...['AccessDeniedException', 'InvalidAccountIdException', 'InvalidArgument', 'MalformedDetail'],
  ...['RedactionFailure', 'NotAuthorizedForSourceException', 'NotAuthorizedForDetailTypeException'],
];

test.each(NON_RETRYABLE)(
  'an event rejected with %s becomes a dead letter, is not retried, and is counted and logged',
  async (code) => {
    const deadBefore = await metric(service, 'events_dead_total');
    const linesBefore = service.logLines().length;
    let tries = 0;
    const sessionId = await aRefusedEvent((id) => {
      tries += 1;
      return refusing(code)(id);
    });
    const letter = await deadLetterOf(sessionId);
    expect(letter).toMatchObject({ type: 'TrainerJourneyStarted', reason: code });
    const detail: unknown = JSON.parse(letter['detail'] ?? '');
    expect(detail).toMatchObject({ sessionId, eventId: expect.any(String) as string });
    await own.published(await own.put());
    await own.everythingPublished();
    expect(tries).toBe(1);
    expect((await own.redis.xpending('journey:outbox', 'relay'))[0]).toBe(0);
    expect(await metric(service, 'events_dead_total')).toBe(deadBefore + 1);
    const errors = service
      .logLines()
      .slice(linesBefore)
      .filter(({ level }) => level === 'error');
    expect(errors).toMatchObject([{ detailType: 'TrainerJourneyStarted', reason: code }]);
  },
);

test.each<[string, (sessionId: string) => Trouble]>([
  ['one event of a call is rejected', refusing('InvalidArgument')],
  [
    'a call is invalid because of one event',
    () => ({ kind: 'error', status: 400, code: 'ValidationException' }),
  ],
])('when %s, only that event is dead-lettered and the others are published', async (_name, troubleFor) => {
  service.bus.failNext(internalFailure);
  const [refused, others] = await Promise.all([aRefusedEvent(troubleFor), own.putMany(5)]);
  for (const sessionId of others) expect(await own.published(sessionId)).toHaveLength(1);
  await deadLetterOf(refused);
});

test('a call that fails for another reason because of one event does not delay the others', async () => {
  await aRefusedEvent(() => ({ kind: 'error', status: 400, code: 'SerializationException' }));
  await own.published(await own.put());
});

test('events that are refused again and again do not delay others, and are published once they are accepted', async () => {
  const refused = new Set<unknown>();
  const isRefused = ({ detail }: { detail: Record<string, unknown> }) => refused.has(detail['sessionId']);
  service.bus.failWhile(() => ({ kind: 'refuse', code: 'SomethingNew', refuses: isRefused }));
  for (let count = 250; count > 0; count--) {
    const sessionId = randomUUID();
    refused.add(sessionId);
    await own.put({ detail: JSON.stringify({ eventId: randomUUID(), sessionId }) });
  }
  await until(
    'all are pending',
    async () => (await own.redis.xpending('journey:outbox', 'relay'))[0] === 250,
  );
  const startedAt = performance.now();
  for (const sessionId of await own.putMany(20)) await own.published(sessionId);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  service.bus.failWhile(undefined);
  await until(
    'the others too',
    () => [...refused].every((id) => service.eventsOf(String(id)).length === 1),
    25_000,
  );
});

test('an event that is refused for 24 hours becomes a dead letter, whatever the code', async () => {
  await own.everythingPublished();
  await own.redis.del('journey:outbox');
  const sessionId = randomUUID();
  service.bus.failWhile(() => refusing('SomethingNew')(sessionId));
  const detail = JSON.stringify({ eventId: randomUUID(), sessionId });
  await own.redis.xadd(
    'journey:outbox',
    `${Date.now() - 25 * 3_600_000}-0`,
    'type',
    'TrainerNearby',
    'detail',
    detail,
  );
  expect(await deadLetterOf(sessionId)).toMatchObject({ reason: 'SomethingNew' });
});

test('an event over 256 KB is dead-lettered and the others are published', async () => {
  const sessionId = randomUUID();
  await own.put({ detail: JSON.stringify({ sessionId, text: 'x'.repeat(300_000) }) });
  await own.published(await own.put());
  await deadLetterOf(sessionId);
});

test.each([
  ['without known fields', { type: '', at: '', detail: '' }],
  ['with an invalid time', { at: 'yesterday' }],
  ['with a detail that is not JSON', { detail: '{"eventId":' }],
])('an entry %s does not delay others', async (_name, fields) => {
  await own.put(fields);
  await own.published(await own.put());
});

test('a pending event that was deleted does not delay others', async () => {
  const before = service.bus.calls();
  service.bus.failNext(internalFailure, 2);
  await own.put();
  await until('the relay has read it', () => service.bus.calls() > before);
  const entries = await own.redis.xrange('journey:outbox', '-', '+');
  await own.redis.xdel('journey:outbox', ...entries.map(([id]) => id));
  await own.published(await own.put());
});

test('the number of dead letters is bounded; the oldest are dropped', async () => {
  const fill = `for i = 1, 12000 do redis.call('XADD', KEYS[1], '*', 'type', 'old', 'detail', '{}') end`;
  await own.redis.eval(fill, 1, DEAD_LETTERS_KEY);
  await deadLetterOf(await aRefusedEvent(refusing('InvalidArgument')));
  expect(await own.redis.xlen(DEAD_LETTERS_KEY)).toBeLessThan(11_000);
});
