import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalEventBus } from '../../src/dev/event-bus/local-event-bus.js';
import { aJourney } from '../support/a-journey.js';
import { aSession, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { redisTroubles, type RedisTrouble } from '../support/redis-troubles.js';
import { metric, runService, type RunningService } from '../support/running-service.js';
import { runServiceProcess, testOfTheSource } from '../support/service-process.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { served, until } from '../support/until.js';
import {
  aJourneyWithPosition,
  aWaitingStudent,
  etagOf,
  manyOf,
  move,
  OFTEN,
  poll,
  shownSequence,
  untilWaiting,
  waitingStudents,
  type TimedPoll,
} from '../support/waiting-polls.js';

let redis: PrivateRedis;
let proxy: TcpProxy;
let service: RunningService;
beforeAll(async () => {
  redis = await startPrivateRedis();
  proxy = await startTcpProxy(redis.url);
  service = await runService({ settings: { REDIS_URL: proxy.urlFor(redis.url), ...OFTEN } });
  await until('a journey starts', () => aJourney(service.api));
});
afterAll(async () => {
  await service.stop();
  await proxy.stop();
  await redis.stop();
});

const troubles = redisTroubles(
  () => redis,
  () => proxy,
);
const pubsubClosed: RedisTrouble = {
  test,
  begin: () => redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub'),
  end: () => undefined,
  mayHaveArrived: false,
};
/** A broken connection is detected at once, a silent one after the timeout. */
const withinMs = ({ mayHaveArrived }: RedisTrouble) => (mayHaveArrived ? 3_500 : 1_500);

describe.each([...troubles, ['Redis closes the connections that listen', pubsubClosed] as const])(
  'when %s',
  (_name, trouble) => {
    trouble.test(
      'waiting polls are answered at once and new ones soon, never with an end, and they wait again after it',
      async () => {
        const active = await manyOf(20, () => aJourneyWithPosition(service));
        const scheduled = await aSession();
        const sessions = [...active, scheduled];
        const students = await waitingStudents(service, sessions);
        const [known, unknown] = [await aJourneyWithPosition(service), await aJourneyWithPosition(service)];
        await expectChangeToBeSeen(known);
        // One whose journey is cached, and one whose journey is not.
        const newcomers = [
          { session: known, etag: await etagOf(service, known) },
          { session: unknown, etag: await etagOf(service, unknown) },
        ];
        const outageAt = performance.now();
        await trouble.begin();
        const newPolls = trouble === pubsubClosed ? [] : pollThreeTimes(newcomers);
        const answers = await Promise.all(students.map(({ answer }) => answer));
        const tookMs = performance.now() - outageAt;
        const refused = await newPolls;
        await trouble.end();
        for (const answer of answers) expectToBeAskedToPollAgain(answer);
        expect(tookMs).toBeLessThan(withinMs(trouble));
        await untilWaitsAreGranted(active[0] as ASession);
        expect(await metric(service, 'live_polls_waiting')).toBe(0);
        await Promise.all(active.map(expectChangeToBeSeen));
        if (trouble !== pubsubClosed) expectToBeRefusedSoon(refused, trouble);
      },
    );
  },
);

async function pollThreeTimes(callers: { session: ASession; etag: string }[]): Promise<TimedPoll[]> {
  const answers: TimedPoll[] = [];
  for (let times = 3; times > 0; times--) {
    answers.push(...(await Promise.all(callers.map(({ session, etag }) => poll(service, session, etag)))));
  }
  return answers;
}

function expectToBeRefusedSoon(answers: TimedPoll[], trouble: RedisTrouble): void {
  for (const answer of answers) {
    expectToBeAskedToPollAgain(answer);
    expect(answer.ms).toBeLessThan(withinMs(trouble));
  }
  // Once the outage is detected no poll waits.
  const last = answers.slice(-2);
  for (const answer of last) {
    expect(refusal(answer)).toMatchObject({ status: 503, code: 'STATE_UNAVAILABLE' });
  }
  expect(Math.min(...last.map(({ ms }) => ms))).toBeLessThan(1_000);
}

test('a poll at one process gets the changes that another one receives', async () => {
  const other = await runService({ settings: { REDIS_URL: redis.url, ...OFTEN } });
  try {
    const session = await aSession();
    const started = await aWaitingStudent(service, session);
    data(await other.api.start(session.sessionId, session.trainerToken));
    expect(data(await started.answer)).toMatchObject({ isActive: true });
    const moved = await aWaitingStudent(service, session);
    await move(other, session, 1);
    expect(shownSequence(await moved.answer)).toBe(1);
    const ended = await aWaitingStudent(service, session);
    data(await other.api.stop(session.sessionId, session.trainerToken));
    expect(data(await ended.answer)).toMatchObject({ isActive: false, endedReason: 'cancelled' });
  } finally {
    await other.stop();
  }
});

test('on SIGTERM 50 waiting polls are answered at once and the exit code is 0', async () => {
  const bus = await startLocalEventBus();
  const stopping = await runServiceProcess(bus, { REDIS_URL: redis.url, ...OFTEN });
  const session = await aJourneyWithPosition(stopping);
  const students = await waitingStudents(stopping, Array<ASession>(50).fill(session));
  const stoppedAt = performance.now();
  stopping.kill('SIGTERM');
  for (const { answer } of students) expectToBeAskedToPollAgain(await answer);
  expect(await stopping.exited).toEqual({ code: 0, signal: null });
  // Well below the grace period of requests in flight.
  expect(performance.now() - stoppedAt).toBeLessThan(4_000);
  await bus.stop();
});

testOfTheSource(
  'a poll with If-None-Match: * waits through any number of changes without a warning of Node.js',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'warnings-'));
    const warnings = join(folder, 'warnings.txt');
    const bus = await startLocalEventBus();
    const own = await runServiceProcess(bus, {
      REDIS_URL: redis.url,
      ...OFTEN,
      NODE_OPTIONS: `--redirect-warnings=${warnings}`,
    });
    const session = await aJourneyWithPosition(own);
    const answer = poll(own, session, '*', { prefer: 'wait=1' });
    await untilWaiting(own, 1);
    for (let sequence = 2; sequence < 30; sequence++) {
      await move(own, session, sequence);
    }
    expect(await answer).toMatchObject({ status: 304, headers: { 'preference-applied': 'wait=1' } });
    own.kill('SIGTERM');
    await own.exited;
    await bus.stop();
    const warned = existsSync(warnings) ? readFileSync(warnings, 'utf8') : '';
    rmSync(folder, { recursive: true });
    expect(warned).toBe('');
  },
);

/** Asks the caller to poll again: neither the end of the journey nor the end of a granted wait. */
function expectToBeAskedToPollAgain(answer: TimedPoll): void {
  expect([304, 503]).toContain(answer.status);
  expect(answer.headers).not.toHaveProperty('preference-applied');
  if (answer.status === 503) expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
}

/** Resolves when polls wait again and are answered by the next position. */
async function untilWaitsAreGranted(session: ASession): Promise<void> {
  const answer = await until('a wait is granted', async () => {
    const etag = await etagOf(service, session);
    const polled = { isAnswered: false };
    const answer = poll(service, session, etag).finally(() => (polled.isAnswered = true));
    await until(
      'it waits or is answered',
      async () => polled.isAnswered || (await metric(service, 'live_polls_waiting')) === 1,
    );
    return !polled.isAnswered && { answer };
  });
  await move(service, session, 2);
  expect(shownSequence(await answer.answer)).toBe(2);
}

async function expectChangeToBeSeen(session: ASession): Promise<void> {
  const etag = await etagOf(service, session);
  const answer = served(() => poll(service, session, etag));
  await move(service, session, 3);
  expect(shownSequence(await answer)).toBe(3);
}
