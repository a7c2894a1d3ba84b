import { setTimeout as pause } from 'node:timers/promises';
import { aJourney } from '../support/a-journey.js';
import { aSession, type ASession } from '../support/a-session.js';
import { data, type Answer } from '../support/api.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { served, until } from '../support/until.js';
import { metric, runService, type RunningService } from '../support/running-service.js';
import {
  aWaitingStudent,
  COME_TOGETHER,
  etagOf,
  manyJourneys,
  manyOf,
  move,
  OFTEN,
  poll,
  shownSequence,
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

/** A response by then is not the end of the wait. */
const WELL_BEFORE_THE_LIMIT_MS = 8_000;

const post = (session: ASession, sequence: number) => move(service, session, sequence);

test('each of 80 waiting students gets the position of their own session', async () => {
  const sessions = await manyJourneys(service.api, 80);
  const students = await waitingStudents(service, sessions);
  for (let from = 0; from < sessions.length; from += COME_TOGETHER) {
    const some = sessions.slice(from, from + COME_TOGETHER);
    await Promise.all(some.map((session, index) => post(session, 1_000 + from + index)));
  }
  const woken = await Promise.all(students.map(({ answer }) => answer));
  expect(woken.map((answer) => [data(answer)['sessionId'], shownSequence(answer)])).toEqual(
    sessions.map(({ sessionId }, index) => [sessionId, 1_000 + index]),
  );
});

test('all 50 polls that wait for one session get its position, and no other poll is answered', async () => {
  const [session, other] = [await aJourney(service.api), await aJourney(service.api)];
  const students = await waitingStudents(service, Array<ASession>(50).fill(session));
  const bystander = await aWaitingStudent(service, other);
  await post(session, 1);
  const woken = await Promise.all(students.map(({ answer }) => answer));
  expect(woken.map(shownSequence)).toEqual(Array<number>(50).fill(1));
  await post(other, 2);
  expect(shownSequence(await bystander.answer)).toBe(2);
});

test('during a hundred updates nobody sees an older position after a newer one, and all see the last', async () => {
  const session = await aJourney(service.api);
  const LAST = 100;
  const watchers = [0, 3, 15].map(async (thinkingMs) => {
    const seen: number[] = [];
    let etag = await etagOf(service, session);
    while (seen.at(-1) !== LAST) {
      const answer = await poll(service, session, etag);
      const sequence = shownSequence(answer);
      if (answer.status !== 200 || sequence === null)
        throw new Error(`${answer.status} after ${seen.join()}`);
      seen.push(sequence);
      etag = answer.headers['etag'] ?? '';
      await pause(Math.random() * thinkingMs);
    }
    return { seen, seenLastAt: performance.now() };
  });
  for (let sequence = 1; sequence <= LAST; sequence++) await post(session, sequence);
  const takenAt = performance.now();
  for (const { seen, seenLastAt } of await Promise.all(watchers)) {
    expect(seen).toEqual([...new Set(seen)].sort((one, other) => one - other));
    expect(seenLastAt - takenAt).toBeLessThan(1_500);
  }
});

const active = () => aJourney(service.api);
const start = ({ sessionId, trainerToken }: ASession) => service.api.start(sessionId, trainerToken);
const stop = ({ sessionId, trainerToken }: ASession) => service.api.stop(sessionId, trainerToken);

test.each<
  [
    name: string,
    count: number,
    () => Promise<ASession>,
    change: (session: ASession) => Promise<unknown>,
    isSeen: (answer: Answer) => boolean,
  ]
>([
  ['a position', 80, active, (session) => post(session, 1), (answer) => shownSequence(answer) === 1],
  ['the start', 40, () => aSession(), start, (answer) => data(answer)['isActive'] === true],
  ['the end', 40, active, stop, (answer) => data(answer)['endedReason'] === 'cancelled'],
])('%s that coincides with a poll is not missed', async (_name, count, before, change, isSeen) => {
  const sessions = await manyOf(count, before);
  const etags = await Promise.all(sessions.map((session) => etagOf(service, session)));
  const races = sessions.map(async (session, index) => {
    const polled = pause(Math.random() * 20).then(() => poll(service, session, etags[index]));
    const changed = pause(Math.random() * 20).then(() => change(session));
    return (await Promise.all([polled, changed]))[0];
  });
  const answers = await Promise.all(races);
  expect(answers.filter((answer) => !isSeen(answer)).map(({ status }) => status)).toEqual([]);
  expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(WELL_BEFORE_THE_LIMIT_MS);
});

test('40 waiting polls open no connection to Redis', async () => {
  const sessions = await manyJourneys(service.api, 40);
  const connections = async () =>
    String(await redis.client.client('LIST'))
      .trim()
      .split('\n').length;
  const before = await connections();
  const students = await waitingStudents(service, sessions);
  expect(await connections()).toBe(before);
  await Promise.all(sessions.map((session) => post(session, 1)));
  await Promise.all(students.map(({ answer }) => answer));
});

test.concurrent('a session that nobody watches is unsubscribed', async () => {
  const ownRedis = await startPrivateRedis();
  const own = await runService({ settings: { REDIS_URL: ownRedis.url } });
  const channels = async () => (await ownRedis.client.pubsub('CHANNELS', '*')).length;
  try {
    const sessions = await manyJourneys(own.api, 10);
    const students = await waitingStudents(own, sessions);
    expect(await channels()).toBeGreaterThan(0);
    for (const session of sessions) await move(own, session, 1);
    await Promise.all(students.map(({ answer }) => answer));
    await until('no channel has a subscriber', async () => (await channels()) === 0, 20_000);
    const again = await aWaitingStudent(own, sessions[0] as ASession);
    data(await served(() => own.api.stop(sessions[0]?.sessionId ?? '', sessions[0]?.trainerToken ?? '')));
    expect((await again.answer).status).toBe(200);
  } finally {
    await own.stop();
    await ownRedis.stop();
  }
});

test.each([
  ['while it waits', 20, () => untilWaiting(service, 20)],
  ['before it waits', 40, () => Promise.resolve()],
])('a caller that disconnects %s no longer waits', async (_when, count, ready) => {
  const sessions = await manyJourneys(service.api, count);
  const leaving = await Promise.all(
    sessions.map(async (session) => {
      const controller = new AbortController();
      const etag = await etagOf(service, session);
      const url = `${service.url}/api/v1/admin/location-tracking/journey/live?sessionId=${session.sessionId}`;
      const headers = {
        Authorization: `Bearer ${session.studentToken}`,
        'If-None-Match': etag,
        Prefer: 'wait=25',
      };
      fetch(url, { headers, signal: controller.signal }).catch(() => undefined);
      return controller;
    }),
  );
  await ready();
  await Promise.all(
    leaving.map(async (controller) => {
      await pause(Math.random() * 15);
      controller.abort();
    }),
  );
  // Once a later poll is answered the service has read all the earlier ones.
  await etagOf(service, sessions[0] as ASession);
  await until('no poll waits', async () => (await metric(service, 'live_polls_waiting')) === 0, 3_000);
});
