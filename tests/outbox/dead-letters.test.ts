import { randomUUID } from 'node:crypto';
import { internalFailure, type Trouble } from '../../src/dev/event-bus/local-event-bus.js';
import { DEAD_LETTERS_KEY } from '../../src/store/keys.js';
import { putIntoOutbox } from '../support/outbox-entry.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { metric, runService, type RunningService } from '../support/running-service.js';
import { until } from '../support/until.js';

let redis: PrivateRedis;
let service: RunningService;
beforeAll(async () => {
  redis = await startPrivateRedis();
  service = await runService({ settings: { REDIS_URL: redis.url } });
});
afterEach(() => {
  service.bus.failWhile(undefined);
});
afterAll(async () => {
  await service.stop();
  await redis.stop();
});

test.each(['InvalidArgument', 'MalformedDetail'])(
  'an event rejected with %s becomes a dead letter with the reason and is not retried',
  async (code) => {
    let tries = 0;
    const sessionId = await putWithTrouble((id) => ({
      kind: 'refuse',
      code,
      refuses: ({ detail }) => detail['sessionId'] === id && ++tries > 0,
    }));
    const [letter] = await until('the dead letter', async () => {
      const letters = await deadLettersOf(sessionId);
      return letters.length > 0 && letters;
    });
    expect(letter).toMatchObject({ type: 'TrainerJourneyStarted', reason: code });
    expect(JSON.parse(letter?.['detail'] ?? '')).toMatchObject({
      sessionId,
      eventId: expect.any(String) as string,
    });
    await anEventThatIsPublished();
    expect(tries).toBe(1);
    expect((await redis.client.xpending('journey:outbox', 'relay'))[0]).toBe(0);
  },
);

test('a dead letter is counted in events_dead_total and logged as an error with type and reason', async () => {
  const before = await metric(service, 'events_dead_total');
  const linesBefore = service.logLines().length;
  await aRefusedEvent('MalformedDetail');
  await until('it is counted', async () => (await metric(service, 'events_dead_total')) === before + 1);
  const errors = service
    .logLines()
    .slice(linesBefore)
    .filter(({ level }) => level === 'error');
  expect(errors).toMatchObject([{ detailType: 'TrainerJourneyStarted', reason: 'MalformedDetail' }]);
});

test.each<[string, (refused: string) => Trouble]>([
  [
    'one event of a call is rejected',
    (refused) => ({
      kind: 'refuse',
      code: 'InvalidArgument',
      refuses: ({ detail }) => detail['sessionId'] === refused,
    }),
  ],
  [
    'a call is rejected because of one event',
    () => ({ kind: 'error', status: 400, code: 'ValidationException' }),
  ],
])('when %s, only that event is dead-lettered and the others are published', async (_name, troubleFor) => {
  const refused = randomUUID();
  service.bus.failNext(internalFailure);
  service.bus.failWhile((entries) =>
    entries.some(({ Detail }) => String(Detail).includes(refused)) ? troubleFor(refused) : undefined,
  );
  const detail = JSON.stringify({ eventId: randomUUID(), sessionId: refused });
  const [, ...others] = await Promise.all([
    putIntoOutbox(redis.client, { detail }),
    ...Array.from({ length: 5 }, () => putIntoOutbox(redis.client)),
  ]);
  await until('the others', () => others.every((sessionId) => service.eventsOf(sessionId).length === 1));
  await until('the dead letter', async () => (await deadLettersOf(refused)).length === 1);
});

test('an event over 256 KB is dead-lettered and the others are published', async () => {
  const sessionId = randomUUID();
  const detail = JSON.stringify({ sessionId, text: 'x'.repeat(300_000) });
  await putIntoOutbox(redis.client, { detail });
  await anEventThatIsPublished();
  await until('the dead letter', async () => (await deadLettersOf(sessionId)).length === 1);
});

test('the number of dead letters is bounded; the oldest are dropped', async () => {
  await redis.client.eval(
    `for i = 1, 12000 do redis.call('XADD', KEYS[1], '*', 'type', 'old', 'detail', '{}') end`,
    1,
    DEAD_LETTERS_KEY,
  );
  const sessionId = await aRefusedEvent('InvalidArgument');
  expect(await deadLettersOf(sessionId)).toHaveLength(1);
  expect(await redis.client.xlen(DEAD_LETTERS_KEY)).toBeLessThan(11_000);
});

/** Resolves when the event has become a dead letter. */
async function aRefusedEvent(code: string): Promise<string> {
  const sessionId = await putWithTrouble((id) => ({
    kind: 'refuse',
    code,
    refuses: ({ detail }) => detail['sessionId'] === id,
  }));
  await until('the dead letter', async () => (await deadLettersOf(sessionId)).length > 0);
  return sessionId;
}

async function putWithTrouble(troubleFor: (sessionId: string) => Trouble): Promise<string> {
  const sessionId = randomUUID();
  service.bus.failWhile(() => troubleFor(sessionId));
  await putIntoOutbox(redis.client, { detail: JSON.stringify({ eventId: randomUUID(), sessionId }) });
  return sessionId;
}

async function anEventThatIsPublished(): Promise<void> {
  const sessionId = await putIntoOutbox(redis.client);
  await until('an event', () => service.eventsOf(sessionId).length === 1);
  await until('the outbox is empty', async () => (await redis.client.xlen('journey:outbox')) === 0);
}

async function deadLettersOf(sessionId: string): Promise<Record<string, string>[]> {
  const entries = await redis.client.xrevrange(DEAD_LETTERS_KEY, '+', '-', 'COUNT', 100);
  return entries
    .map(([, fields]) => Object.fromEntries(pairs(fields)))
    .filter(({ detail }) => detail?.includes(sessionId));
}

function pairs(fields: string[]): [string, string][] {
  return fields.flatMap((name, index) => (index % 2 === 0 ? [[name, fields[index + 1] ?? '']] : []));
}
