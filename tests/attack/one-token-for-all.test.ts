import { aJourney } from '../support/a-journey.js';
import type { ASession } from '../support/a-session.js';
import { refusal } from '../support/api.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { runService, type RunningService } from '../support/running-service.js';
import {
  aWaitingStudent,
  etagOf,
  OFTEN,
  poll,
  positionOf,
  untilWaiting,
  waitingStudents,
} from '../support/waiting-polls.js';

/** What one caller may hold, take and leave behind. */
const MOST_WAITING = 100;
const MOST_STARTS = 200;

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

test('one caller holds a hundred places to wait, whoever else waits holds his, and they come back', async () => {
  const [session, other] = [await aJourney(service.api), await aJourney(service.api)];
  const etag = await etagOf(service, session);
  const held = await waitingStudents(service, Array<ASession>(MOST_WAITING).fill(session));
  const refused = await poll(service, session, etag);
  expect([refused.status, refused.headers['preference-applied']]).toEqual([304, undefined]);
  const bystander = await aWaitingStudent(service, other);
  await service.api.update(session.trainerToken, positionOf(session, 1));
  expect((await Promise.all(held.map(({ answer }) => answer))).map(({ status }) => status)).toEqual(
    Array<number>(MOST_WAITING).fill(200),
  );
  await untilWaiting(service, 1);
  const again = await aWaitingStudent(service, session);
  for (const each of [session, other]) await service.api.stop(each.sessionId, each.trainerToken);
  expect((await Promise.all([again.answer, bystander.answer])).map(({ status }) => status)).toEqual([
    200, 200,
  ]);
});

test('a trainer who starts and stops with ever new keys is told to pause, and leaves a bounded number of records', async () => {
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

test('keys of calls that came to nothing leave no record', async () => {
  const { sessionId, trainerToken } = await aJourney(service.api);
  for (let count = 0; count < 20; count++) {
    const key = { 'Idempotency-Key': `key-${count}` };
    await service.api.start(sessionId, trainerToken, key);
    await service.api.arrived(sessionId, trainerToken, key);
  }
  expect(await redis.client.keys(`journey:idempotency:${sessionId}:*`)).toEqual([]);
});
