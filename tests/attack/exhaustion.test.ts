import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import { aSession, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { metric, runService, type RunningService } from '../support/running-service.js';
import { tokenFor } from '../support/tokens.js';
import {
  aWaitingStudent,
  etagOf,
  manyOf,
  OFTEN,
  poll,
  positionOf,
  untilWaiting,
  waitingStudents,
} from '../support/waiting-polls.js';

let redis: PrivateRedis;
let service: RunningService;
beforeAll(async () => {
  redis = await startPrivateRedis();
  service = await runService({ settings: { REDIS_URL: redis.url, ...OFTEN } });
});
afterAll(async () => {
  await service.stop();
  await redis.stop();
});

const GUESSES = 200;
const queries = () => metric(service, 'postgres_query_duration_seconds_count');
/** Requests that are in flight at the same time. */
const SLACK = 25;

async function guess(call: (sessionId: string) => Promise<{ status: number }>) {
  const answers = await manyOf(GUESSES, () => call(randomUUID()));
  return answers.filter(({ status }) => status === 429);
}

const kinds = [
  ['polls', (token: string) => (id: string) => service.api.live(id, token)],
  [
    'waiting polls',
    (token: string) => (id: string) =>
      service.api.live(id, token, { 'If-None-Match': '"x"', Prefer: 'wait=20' }),
  ],
  ['starts', (token: string) => (id: string) => service.api.start(id, token)],
] as const;

describe.each(kinds)('a caller who guesses sessions by %s', (_name, callWith) => {
  let session: ASession;
  beforeEach(async () => {
    session = await aJourney(service.api);
  });

  test('gets 429, and neither Postgres nor Redis is queried any more', async () => {
    const { trainerToken } = session;
    const before = { queries: await queries(), marks: await marks() };
    const refused = await guess(callWith(trainerToken));
    expect(refused.length).toBeGreaterThan(GUESSES / 2);
    expect(refusal(refused.at(-1) as never)).toMatchObject({
      code: 'RATE_LIMITED',
      details: { retryAfterMs: expect.any(Number) as number },
    });
    const asked = GUESSES - refused.length;
    expect((await queries()) - before.queries).toBeLessThanOrEqual(asked + SLACK);
    expect((await marks()) - before.marks).toBeLessThanOrEqual(asked + SLACK);
  });

  test("still sees the journey that is the caller's own, and no other caller suffers", async () => {
    const { sessionId, trainerToken, studentToken } = session;
    await guess(callWith(trainerToken));
    expect(data(await service.api.live(sessionId, trainerToken))['isActive']).toBe(true);
    expect(data(await service.api.live(sessionId, studentToken))['isActive']).toBe(true);
    const other = await aSession();
    expect((await service.api.start(other.sessionId, other.trainerToken)).status).toBe(201);
  });
});

test('the marks of sessions that do not exist expire', async () => {
  const sessionId = randomUUID();
  await service.api.live(sessionId, await tokenFor(randomUUID(), 'student'));
  const left = await redis.client.ttl(`session:missing:${sessionId}`);
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThanOrEqual(30);
});

async function marks(): Promise<number> {
  return (await redis.client.keys('session:missing:*')).length;
}

const MOST_WAITING = 100;
const MOST_STARTS = 200;

test('one caller can have a hundred waiting polls, others wait beside them, and finished polls free their slots', async () => {
  const [session, other] = [await aJourney(service.api), await aJourney(service.api)];
  const etag = await etagOf(service, session);
  const waiting = await waitingStudents(service, Array<ASession>(MOST_WAITING).fill(session));
  const refused = await poll(service, session, etag);
  expect([refused.status, refused.headers['preference-applied']]).toEqual([304, undefined]);
  const bystander = await aWaitingStudent(service, other);
  await service.api.update(session.trainerToken, positionOf(session, 1));
  expect((await Promise.all(waiting.map(({ answer }) => answer))).map(({ status }) => status)).toEqual(
    Array<number>(MOST_WAITING).fill(200),
  );
  await untilWaiting(service, 1);
  const again = await aWaitingStudent(service, session);
  for (const each of [session, other]) await service.api.stop(each.sessionId, each.trainerToken);
  expect((await Promise.all([again.answer, bystander.answer])).map(({ status }) => status)).toEqual([
    200, 200,
  ]);
});

test('a trainer who starts and stops with ever new keys gets 429, and leaves a bounded number of records', async () => {
  const session = await aJourney(service.api);
  const { sessionId, trainerToken } = session;
  let starts = 1;
  for (;;) {
    await service.api.stop(sessionId, trainerToken, { 'Idempotency-Key': `stop-${starts}` });
    const answer = await service.api.start(sessionId, trainerToken, { 'Idempotency-Key': `start-${starts}` });
    if (answer.status !== 201) {
      expect(refusal(answer)).toMatchObject({ status: 429, code: 'RATE_LIMITED' });
      expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
      break;
    }
    starts++;
    expect(starts).toBeLessThan(2 * MOST_STARTS);
  }
  expect(starts).toBeGreaterThanOrEqual(MOST_STARTS);
  const records = await redis.client.keys(`journey:idempotency:${sessionId}:*`);
  expect(records.length).toBeLessThanOrEqual(2 * starts);
  for (const record of records) expect(await redis.client.memory('USAGE', record)).toBeLessThan(512);
}, 60_000);

test('the keys of refused calls leave no record', async () => {
  const { sessionId, trainerToken } = await aJourney(service.api);
  for (let count = 0; count < 20; count++) {
    const key = { 'Idempotency-Key': `key-${count}` };
    await service.api.start(sessionId, trainerToken, key);
    await service.api.arrived(sessionId, trainerToken, key);
  }
  expect(await redis.client.keys(`journey:idempotency:${sessionId}:*`)).toEqual([]);
});
