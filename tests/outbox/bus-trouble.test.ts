import {
  internalFailure,
  throttled,
  type Trouble,
  type TroubleMaker,
} from '../../src/dev/event-bus/local-event-bus.js';
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
  ['answers 503', { kind: 'error', status: 503, code: 'ServiceUnavailable' }],
  ['throttles', throttled],
  ['closes the connection', { kind: 'close' }],
  ['refuses each entry with InternalFailure', { kind: 'refuse', code: 'InternalFailure', refuses: all }],
  [
    'refuses each entry with ThrottlingException',
    { kind: 'refuse', code: 'ThrottlingException', refuses: all },
  ],
  ['takes the events and its answer is lost', { kind: 'lose-answer' }],
  ['says that the credentials have run out', { kind: 'error', status: 400, code: 'ExpiredTokenException' }],
  ['says that access is denied', { kind: 'error', status: 400, code: 'AccessDeniedException' }],
  ['says that there is no such bus', { kind: 'error', status: 400, code: 'ResourceNotFoundException' }],
];

describe.each(troubles)('when EventBridge %s', (_name, trouble) => {
  test('the event is tried again with the same eventId until it is taken, and nothing is lost', async () => {
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

test('of a call with some entries refused, only those are tried again', async () => {
  const refused = new Set<unknown>();
  failOnce((entries) => {
    if (entries.length < 4) return undefined;
    return {
      kind: 'refuse',
      code: 'InternalFailure',
      refuses: ({ detail }, index) => index % 2 === 1 && refused.add(detail['sessionId']).size > 0,
    };
  });
  const sessionIds = await puttingTogether(8);
  await everythingPublished();
  expect(refused.size).toBeGreaterThan(0);
  expect(sessionIds.map((sessionId) => service.eventsOf(sessionId).length)).toEqual(sessionIds.map(() => 1));
});

test('a repeat after a lost answer carries the eventId of the event that was taken', async () => {
  service.bus.failNext({ kind: 'lose-answer' });
  const sessionId = await putIntoOutbox(redis.client);
  const arrived = await until('the repeat', () => {
    const both = service.eventsOf(sessionId);
    return both.length === 2 && both;
  });
  expect(arrived[0]?.detail['eventId']).toBe(arrived[1]?.detail['eventId']);
});

test('Redis going away between the publishing and its record loses nothing: the event is told again', async () => {
  let hasTaken = false;
  service.bus.failWhile(() => {
    // The bus takes the events; by the time it answers, Redis is away.
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

test('what failed and is tried again is counted and logged as a warning, not as an error', async () => {
  const before = await metric(service, 'events_retried_total');
  failFirst(1, internalFailure);
  await putIntoOutbox(redis.client);
  await everythingPublished();
  expect(await metric(service, 'events_retried_total')).toBeGreaterThan(before);
  const lines = service.logLines().filter(({ reason }) => reason === 'InternalException');
  expect(lines.map(({ level }) => level)).toContain('warn');
  expect(lines.map(({ level }) => level)).not.toContain('error');
});

/** The next calls meet the trouble. Returns the eventIds of one session that each call so far carried. */
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

/** The first call about which the maker has something to say meets its trouble. */
function failOnce(maker: TroubleMaker): void {
  service.bus.failWhile((entries) => {
    const trouble = maker(entries);
    if (trouble !== undefined) service.bus.failWhile(undefined);
    return trouble;
  });
}

/** Many events, so that several are in one call. */
function puttingTogether(count: number): Promise<string[]> {
  // The first call fails, so that all the others wait and are there together.
  service.bus.failNext(internalFailure);
  return Promise.all(Array.from({ length: count }, () => putIntoOutbox(redis.client)));
}

async function everythingPublished(): Promise<void> {
  await until('the outbox is empty', async () => (await redis.client.xlen('journey:outbox')) === 0, 25_000);
}
