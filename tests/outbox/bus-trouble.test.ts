import { internalFailure, throttled, type Trouble } from '../../src/dev/event-bus/local-event-bus.js';
import { aSession } from '../support/a-session.js';
import { fiveCalls } from '../support/five-calls.js';
import { putIntoOutbox } from '../support/outbox-entry.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { metric, runService, type RunningService } from '../support/running-service.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

let redis: PrivateRedis;
let proxy: TcpProxy;
let service: RunningService;
beforeAll(async () => {
  redis = await startPrivateRedis();
  proxy = await startTcpProxy(redis.url);
  service = await runService({ settings: { REDIS_URL: proxy.urlFor(redis.url) } });
});
afterEach(async () => {
  service.bus.failWhile(undefined);
  proxy.heal();
  await everythingPublished();
});
afterAll(async () => {
  await service.stop();
  await proxy.stop();
  await redis.stop();
});

const all = () => true;
const troubles: [name: string, trouble: Trouble][] = [
  ['answers 500', internalFailure],
  ['throttles', throttled],
  ['closes the connection', { kind: 'close' }],
  ['refuses each entry with InternalFailure', { kind: 'refuse', code: 'InternalFailure', refuses: all }],
  ['accepts the events and its response is lost', { kind: 'lose-answer' }],
  ['reports expired credentials', { kind: 'error', status: 400, code: 'ExpiredTokenException' }],
  ['denies access', { kind: 'error', status: 400, code: 'AccessDeniedException' }],
  ['reports an unknown bus', { kind: 'error', status: 400, code: 'ResourceNotFoundException' }],
];

describe.each(troubles)('when EventBridge %s', (_name, trouble) => {
  test('the event is retried with the same eventId until it is published', async () => {
    const tries = failFirst(2, trouble);
    const session = await aSession();
    expect(await fiveCalls.start(service.url, session)).toMatchObject({ status: 201 });
    await everythingPublished();
    const arrived = service.eventsOf(session.sessionId);
    expect(arrived.length).toBeGreaterThanOrEqual(1);
    const eventIds = tries(session.sessionId);
    expect(eventIds.length).toBeGreaterThanOrEqual(3);
    expect(new Set(eventIds)).toEqual(new Set([arrived[0]?.detail['eventId']]));
  });
});

test('only the failed entries of a call are retried', async () => {
  const refused = new Set<unknown>();
  service.bus.failWhile((entries) => {
    if (entries.length < 4 || refused.size > 0) return undefined;
    return {
      kind: 'refuse',
      code: 'InternalFailure',
      refuses: ({ detail }, index) => index % 2 === 1 && refused.add(detail['sessionId']).size > 0,
    };
  });
  // While the relay backs off after this failure, the events gather.
  service.bus.failNext(internalFailure);
  const sessionIds = await Promise.all(Array.from({ length: 8 }, () => putIntoOutbox(redis.client)));
  await everythingPublished();
  expect(refused.size).toBeGreaterThan(0);
  expect(sessionIds.map((sessionId) => service.eventsOf(sessionId).length)).toEqual(sessionIds.map(() => 1));
});

test('an event is published again if Redis fails before the acknowledgement', async () => {
  let hasTaken = false;
  service.bus.failWhile(() => {
    if (!hasTaken) proxy.cut();
    hasTaken = true;
    return undefined;
  });
  const sessionId = await putIntoOutbox(redis.client);
  await until('the event', () => service.eventsOf(sessionId).length === 1);
  proxy.heal();
  const arrived = await until('the repeat', () => {
    const both = service.eventsOf(sessionId);
    return both.length === 2 && both;
  });
  expect(arrived[0]?.detail).toEqual(arrived[1]?.detail);
});

test('a retry is counted and logged as a warning, not as an error', async () => {
  const before = await metric(service, 'events_retried_total');
  failFirst(1, internalFailure);
  await putIntoOutbox(redis.client);
  await everythingPublished();
  expect(await metric(service, 'events_retried_total')).toBeGreaterThan(before);
  const lines = service.logLines().filter(({ reason }) => reason === 'InternalException');
  expect(lines.map(({ level }) => level)).toContain('warn');
  expect(lines.map(({ level }) => level)).not.toContain('error');
});

/** Fails the next calls. Returns the eventIds that the calls so far carried for a session. */
function failFirst(times: number, trouble: Trouble): (sessionId: string) => string[] {
  let left = times;
  const details: string[] = [];
  service.bus.failWhile((entries) => {
    details.push(...entries.map(({ Detail }) => String(Detail)));
    return left-- > 0 ? trouble : undefined;
  });
  return (sessionId) =>
    details
      .filter((detail) => detail.includes(sessionId))
      .map((detail) => (JSON.parse(detail) as { eventId: string }).eventId);
}

async function everythingPublished(): Promise<void> {
  await until('the outbox is empty', async () => (await redis.client.xlen('journey:outbox')) === 0, 25_000);
}
