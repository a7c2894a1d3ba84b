import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import type { ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { exists, jsonAt, keyOf, sharedRedis } from '../support/redis-of-the-run.js';
import { runService, type RunningService } from '../support/running-service.js';
import { tokenFor } from '../support/tokens.js';
import { until } from '../support/until.js';
import {
  aWaitingStudent,
  etagOf,
  move,
  OFTEN,
  poll,
  shownSequence,
  type WaitingStudent,
} from '../support/waiting-polls.js';

let service: RunningService;
beforeAll(async () => {
  service = await runService({ settings: { ...OFTEN, LOCATION_TTL_SECONDS: '3' } });
});
afterAll(() => service.stop());

const post = (session: ASession, sequence: number) => move(service, session, sequence);

/** A poll that would wait, but names an outdated state. */
const ask = (session: ASession, token = session.trainerToken) =>
  poll(service, session, '"another"', { token });

/** A journey with a position, for whose next change a student waits. */
async function aWatchedJourney(): Promise<{ session: ASession; student: WaitingStudent }> {
  const session = await aJourney(service.api);
  const first = await aWaitingStudent(service, session);
  await post(session, 1);
  expect(shownSequence(await first.answer)).toBe(1);
  return { session, student: await aWaitingStudent(service, session) };
}

test('a cached position ages', async () => {
  const { session } = await aWatchedJourney();
  await until('the position is a second old', async () => {
    const { ageMs } = data(await poll(service, session, undefined, { prefer: null }));
    return Number(ageMs) > 1_000;
  });
  expect(data(await ask(session))['ageMs']).toBeGreaterThan(1_000);
});

test('an expired location is not shown from the cache', async () => {
  const { session } = await aWatchedJourney();
  const location = keyOf.location(session.trainerId, session.sessionId);
  await until('the location has expired', async () => !(await exists(location)));
  expect(data(await ask(session))).toMatchObject({ isActive: true, location: null });
});

test('a state that cannot be read after the wait is 500', async () => {
  const session = await aJourney(service.api);
  const { answer } = await aWaitingStudent(service, session, { prefer: 'wait=2' });
  await sharedRedis().set(keyOf.active(session.sessionId), 'of no form', 'EX', 60);
  expect(refusal(await answer)).toMatchObject({ status: 500, code: 'INTERNAL_ERROR' });
});

test('a location that expires during the wait is null after it', async () => {
  const session = await aJourney(service.api);
  const first = await aWaitingStudent(service, session);
  await post(session, 1);
  const woken = await first.answer;
  const waiting = poll(service, session, woken.headers['etag'], { prefer: 'wait=1' });
  await sharedRedis().del(keyOf.location(session.trainerId, session.sessionId));
  expect(data(await waiting)).toMatchObject({ isActive: true, location: null });
});

test('a change that was not published is seen after the wait', async () => {
  const session = await aJourney(service.api);
  const first = await aWaitingStudent(service, session);
  await post(session, 1);
  const woken = await first.answer;
  const waiting = poll(service, session, woken.headers['etag'], { prefer: 'wait=1' });
  // As a version of the service ends a journey that publishes nothing.
  const { sessionId, trainerId, studentId } = session;
  const ended = { sessionId, trainerId, studentId, endedAt: new Date().toISOString(), reason: 'cancelled' };
  const keys = [keyOf.active(sessionId), keyOf.meta(sessionId), keyOf.location(trainerId, sessionId)];
  await sharedRedis()
    .multi()
    .del(...keys)
    .set(keyOf.ended(sessionId), JSON.stringify(ended), 'EX', 300)
    .exec();
  expect(data(await waiting)).toMatchObject({ isActive: false, endedReason: 'cancelled' });
});

test('polls that wait and polls that do not have the same ETag', async () => {
  const { session } = await aWatchedJourney();
  const etag = await etagOf(service, session);
  expect((await ask(session)).headers['etag']).toBe(etag);
});

test('a stranger gets 403 at once although the journey is cached', async () => {
  const { session } = await aWatchedJourney();
  for (const role of ['student', 'trainer'] as const) {
    const answer = await ask(session, await tokenFor(randomUUID(), role));
    expect(refusal(answer)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  }
});

test("a position is never shown in the session's next journey", async () => {
  const { session, student } = await aWatchedJourney();
  data(await service.api.stop(session.sessionId, session.trainerToken));
  expect(data(await student.answer)).toMatchObject({ isActive: false, location: null });
  data(await service.api.start(session.sessionId, session.trainerToken));
  expect(data(await ask(session))).toMatchObject({ isActive: true, location: null });
  const next = await aWaitingStudent(service, session);
  await post(session, 2);
  expect(shownSequence(await next.answer)).toBe(2);
});

test('a position is not shown in a journey that another version of the service started without publishing it', async () => {
  const { session, student } = await aWatchedJourney();
  const { sessionId, trainerId } = session;
  const earlier = await jsonAt(keyOf.active(sessionId));
  const startedAt = new Date(Date.parse(String(earlier['startedAt'])) + 1).toISOString();
  await sharedRedis()
    .multi()
    .del(keyOf.location(trainerId, sessionId), keyOf.track(sessionId))
    .set(keyOf.active(sessionId), JSON.stringify({ ...earlier, startedAt }), 'EX', 3_600)
    .exec();
  const waited = await poll(service, session, student.etag, { prefer: 'wait=1' });
  expect(data(waited)).toMatchObject({ isActive: true, startedAt, location: null });
  data(await service.api.stop(sessionId, session.trainerToken));
});
