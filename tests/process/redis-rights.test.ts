import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { anActiveJourney, fiveCalls, timedGet, unavailable } from '../support/five-calls.js';
import { aSession, type ASession } from '../support/a-session.js';
import { data } from '../support/api.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { metric, runService, type RunningService } from '../support/running-service.js';
import { tokenFor } from '../support/tokens.js';
import { until } from '../support/until.js';
import { aWaitingStudent } from '../support/waiting-polls.js';

/** The line of the operations manual, as words. */
const [, , ...RIGHTS] = (
  /^ACL SETUSER admin-service .*$/m.exec(
    readFileSync(join(import.meta.dirname, '../../infra/README.md'), 'utf8'),
  )?.[0] ?? ''
).split(' ');

let redis: PrivateRedis;
let service: RunningService;
beforeAll(async () => {
  redis = await startPrivateRedis();
  await grant();
  const url = new URL(redis.url);
  [url.username, url.password] = ['admin-service', 'PASSWORD'];
  service = await runService({ settings: { REDIS_URL: url.href } });
});
afterEach(() => grant());
afterAll(async () => {
  await service.stop();
  await redis.stop();
});

/** The rights of the manual, with changes. */
async function grant(...changes: string[]): Promise<void> {
  await redis.client.call('ACL', 'SETUSER', 'admin-service', 'reset', ...RIGHTS.slice(1), ...changes);
}

const ready = () => timedGet(`${service.url}/health/ready`);
const untilReadyIs = (status: number) =>
  until(`ready is ${status}`, async () => (await ready()).status === status);
const untilPublished = (type: string, { sessionId }: ASession, withinMs?: number) =>
  until(type, () => service.eventsOf(sessionId).some(({ detailType }) => detailType === type), withinMs);
const loggedOf = (message: string) => service.logLines().filter(({ msg }) => msg === message);

test('the rights of the operations manual suffice for every call, a waiting poll and the events', async () => {
  await untilReadyIs(200);
  const session = await anActiveJourney(service.url);
  const { sessionId, trainerId, trainerToken } = session;
  expect((await fiveCalls.update(service.url, session)).status).toBe(201);
  for (const heartbeat of [{ problem: 'noFix' }, { still: true }]) {
    await redis.client.del(`location:rate:${trainerId}`);
    expect((await service.api.update(trainerToken, { sessionId, ...heartbeat })).status).toBe(201);
  }
  expect((await fiveCalls.update(service.url, session)).status).toBe(429);
  const admin = await tokenFor(randomUUID(), 'admin');
  expect(data(await service.api.journey(sessionId, admin))).toMatchObject({
    diagnostics: { refusedUpdates: { RATE_LIMITED: 1 } },
  });
  const { answer } = await aWaitingStudent(service, session);
  const once = { 'Idempotency-Key': 'once' };
  expect((await service.api.arrived(sessionId, trainerToken, once)).status).toBe(200);
  expect((await service.api.arrived(sessionId, trainerToken, once)).status).toBe(200);
  expect((await answer).status).toBe(200);
  await untilPublished('TrainerJourneyEnded', session);
  expect(loggedOf('redis user lacks rights')).toEqual([]);
  expect(loggedOf('outbox unavailable')).toEqual([]);
  expect(await metric(service, 'redis_requirement_met', 'rights')).toBe(1);
});

test.each([
  ['for the outbox', ['resetkeys', '~journey:[^o]*', '~location:*', '~session:*'], 'XADD journey:outbox'],
  ['for one command', ['-zadd'], 'ZADD journey:expiries'],
  ['for scripts', ['-evalsha'], 'EVALSHA journey:expiries'],
])(
  'without rights %s ready is 503, one line says so, and a start is 503 without a trace',
  async (_what, rights, denied) => {
    const linesBefore = loggedOf('redis user lacks rights').length;
    await grant(...rights);
    const answer = await until('not ready', async () => {
      const now = await ready();
      return now.status === 503 && now;
    });
    expect(answer.body).toMatchObject({ error: { details: { redis: 'forbidden' } } });
    const session = await aSession();
    expect(await fiveCalls.start(service.url, session)).toMatchObject(unavailable);
    const lines = loggedOf('redis user lacks rights').slice(linesBefore);
    expect(lines).toMatchObject([{ level: 'error' }]);
    expect(JSON.stringify(lines)).toContain(denied);
    expect(await metric(service, 'redis_requirement_met', 'rights')).toBe(0);
    expect(await redis.client.keys(`*active:${session.sessionId}`)).toEqual([]);
    await grant();
    await untilReadyIs(200);
    expect((await fiveCalls.start(service.url, session)).status).toBe(201);
  },
);

test('after the rights of streams are back, events are published again', async () => {
  await grant('-@stream');
  await untilReadyIs(503);
  await until('the relay fails', () => loggedOf('outbox unavailable').length > 0);
  await grant();
  await untilReadyIs(200);
  const session = await anActiveJourney(service.url);
  // The relay backs off.
  await untilPublished('TrainerJourneyStarted', session, 20_000);
});

test('without rights for channels ready is 503, and what is written is answered as written', async () => {
  await grant('resetchannels');
  const early = await anActiveJourney(service.url);
  await untilReadyIs(503);
  const session = await aSession();
  expect((await fiveCalls.start(service.url, session)).status).toBe(201);
  for (const each of [early, session]) {
    expect((await fiveCalls.update(service.url, each)).status).toBe(201);
    expect((await fiveCalls.arrived(service.url, each)).status).toBe(200);
    await untilPublished('TrainerJourneyEnded', each);
  }
  expect(JSON.stringify(loggedOf('redis user lacks rights').at(-1))).toContain('PUBLISH journey:changes:');
  await grant();
  await untilReadyIs(200);
});

test('an eviction policy other than noeviction is logged as a warning, once, and shown by a metric', async () => {
  await redis.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
  const shown = () => metric(service, 'redis_requirement_met', 'noeviction');
  await until('it is shown', async () => (await shown()) === 0);
  const maxmemoryPolicy = 'allkeys-lru';
  expect(loggedOf('redis may evict journeys and events')).toMatchObject([{ level: 'warn', maxmemoryPolicy }]);
  expect((await ready()).status).toBe(200);
  await redis.client.config('SET', 'maxmemory-policy', 'noeviction');
  await until('it is over', async () => (await shown()) === 1);
});

const SCRIPTS = join(import.meta.dirname, '../../src/store/scripts');

test('the check tries every command of the scripts, and every kind of key that journeys leave', async () => {
  const session = await anActiveJourney(service.url);
  expect((await fiveCalls.update(service.url, session)).status).toBe(201);
  const used = readdirSync(SCRIPTS, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.lua'))
    .flatMap((file) => [...readFileSync(join(SCRIPTS, file), 'utf8').matchAll(/redis\.p?call\('(\w+)'/g)])
    .map(([, name]) => name);
  const kindOf = (key = '') => key.replace(/:[0-9a-f]{8}-[0-9a-f-]{27}.*$/, '');
  const left = (await redis.client.keys('*')).map(kindOf);
  const linesBefore = loggedOf('redis user lacks rights').length;
  await grant('-@all');
  const { denied } = await until('it is logged', () => {
    const line = loggedOf('redis user lacks rights').at(linesBefore);
    return line as unknown as { denied: string[] } | undefined;
  });
  const names = denied.map((command) => command.split(' ')[0]);
  const kinds = denied.map((command) => kindOf(command.split(' ')[1]));
  expect(used.filter((name) => !names.includes(name))).toEqual([]);
  expect(left.filter((kind) => !kinds.includes(kind))).toEqual([]);
  await grant();
  await untilReadyIs(200);
});
