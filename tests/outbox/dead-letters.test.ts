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

const codes = ['InvalidArgument', 'MalformedDetail'];

test.each(codes)('an event refused with %s is kept as a dead letter, with the reason', async (code) => {
  const sessionId = await aRefusedEvent(code);
  const [letter] = await deadLettersOf(sessionId);
  expect(letter).toMatchObject({ type: 'TrainerJourneyStarted', reason: code });
  expect(JSON.parse(letter?.['detail'] ?? '')).toMatchObject({
    sessionId,
    eventId: expect.any(String) as string,
  });
});

test.each(codes)('an event refused with %s is not tried again and is out of the outbox', async (code) => {
  let tries = 0;
  const sessionId = await putWithTrouble((id) => ({
    kind: 'refuse',
    code,
    refuses: ({ detail }) => detail['sessionId'] === id && ++tries > 0,
  }));
  await until('the dead letter', async () => (await deadLettersOf(sessionId)).length > 0);
  await anEventThatComesOut();
  expect(tries).toBe(1);
  expect(await redis.client.xlen('journey:outbox')).toBe(0);
  expect((await redis.client.xpending('journey:outbox', 'relay'))[0]).toBe(0);
});

test('an event refused for good is counted in events_dead_total', async () => {
  const before = await metric(service, 'events_dead_total');
  await aRefusedEvent('InvalidArgument');
  await until('it is counted', async () => (await metric(service, 'events_dead_total')) === before + 1);
});

test('an event refused for good is logged as an error that names the entry and the reason', async () => {
  const before = service.logLines().length;
  await aRefusedEvent('MalformedDetail');
  const line = await until('the line', () =>
    service
      .logLines()
      .slice(before)
      .find(({ level }) => level === 'error'),
  );
  expect(line).toMatchObject({ detailType: 'TrainerJourneyStarted', reason: 'MalformedDetail' });
});

test('the others of a call are published while one of them is refused for good', async () => {
  service.bus.failNext(internalFailure);
  const refused = randomUUID();
  service.bus.failWhile(() => ({
    kind: 'refuse',
    code: 'InvalidArgument',
    refuses: ({ detail }) => detail['sessionId'] === refused,
  }));
  const detail = JSON.stringify({ eventId: randomUUID(), sessionId: refused });
  const [, ...others] = await Promise.all([
    putIntoOutbox(redis.client, { detail }),
    ...Array.from({ length: 5 }, () => putIntoOutbox(redis.client)),
  ]);
  await until('the others', () => others.every((sessionId) => service.eventsOf(sessionId).length === 1));
  await until('the dead letter', async () => (await deadLettersOf(refused)).length === 1);
});

test('a call that EventBridge refuses as a whole because of one event is split, and only that event is dead', async () => {
  const refused = randomUUID();
  service.bus.failNext(internalFailure);
  service.bus.failWhile((entries) =>
    entries.some(({ Detail }) => String(Detail).includes(refused))
      ? { kind: 'error', status: 400, code: 'ValidationException' }
      : undefined,
  );
  const detail = JSON.stringify({ eventId: randomUUID(), sessionId: refused });
  const [, ...others] = await Promise.all([
    putIntoOutbox(redis.client, { detail }),
    ...Array.from({ length: 5 }, () => putIntoOutbox(redis.client)),
  ]);
  await until('the others', () => others.every((sessionId) => service.eventsOf(sessionId).length === 1));
  await until('the dead letter', async () => (await deadLettersOf(refused)).length === 1);
});

test('an event that is larger than EventBridge takes is a dead letter, and the others come out', async () => {
  const sessionId = randomUUID();
  const detail = JSON.stringify({ sessionId, text: 'x'.repeat(300_000) });
  await putIntoOutbox(redis.client, { detail });
  await anEventThatComesOut();
  await until('the dead letter', async () => (await deadLettersOf(sessionId)).length === 1);
});

test('dead letters are bounded: the oldest of far too many go', async () => {
  await redis.client.eval(
    `for i = 1, 12000 do redis.call('XADD', KEYS[1], '*', 'type', 'old', 'detail', '{}') end`,
    1,
    DEAD_LETTERS_KEY,
  );
  const sessionId = await aRefusedEvent('InvalidArgument');
  expect(await deadLettersOf(sessionId)).toHaveLength(1);
  expect(await redis.client.xlen(DEAD_LETTERS_KEY)).toBeLessThan(11_000);
});

/** An event that the bus refuses with this code; resolves when it is a dead letter. */
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

async function anEventThatComesOut(): Promise<void> {
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
