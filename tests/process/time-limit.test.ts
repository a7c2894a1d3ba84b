import type { ReceivedEvent } from '../../src/dev/event-bus/local-event-bus.js';
import { aJourney } from '../support/a-journey.js';
import { aSession, metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { keyOf } from '../support/redis-of-the-run.js';
import { metric, runService, type RunningService } from '../support/running-service.js';
import { PATIENT } from '../support/service-settings.js';
import { until } from '../support/until.js';

/** Three processes with a limit of a second. The tests are concurrent because all of them wait for that second. */
let redis: PrivateRedis;
let services: RunningService[];
let service: RunningService;
beforeAll(async () => {
  redis = await startPrivateRedis();
  services = [];
  for (let task = 3; task > 0; task--) {
    services.push(
      await runService({ settings: { ...PATIENT, REDIS_URL: redis.url, JOURNEY_TTL_SECONDS: '1' } }),
    );
  }
  service = services[0] as RunningService;
});
afterAll(async () => {
  await Promise.all(services.map((each) => each.stop()));
  await redis.stop();
});

test.concurrent(
  'journeys that reach the limit are each ended once with reason timeout at their expiresAt, and counted once',
  async () => {
    const counted = async () => {
      const counts = await Promise.all(services.map((each) => metric(each, 'journeys_expired_total')));
      return counts.reduce((sum, count) => sum + count, 0);
    };
    const before = await counted();
    const sessions = await Promise.all(Array.from({ length: 20 }, () => aSession()));
    const starts = await Promise.all(sessions.map((session) => start(session)));
    const ends = await Promise.all(sessions.map((session) => endsOf(session, 1)));
    await everyTaskHasLooked();
    expect(sessions.map((session) => eventsOf(session, 'TrainerJourneyEnded').length)).toEqual(
      sessions.map(() => 1),
    );
    expect(ends.map(([end]) => end?.detail)).toMatchObject(
      sessions.map(({ sessionId, trainerId, studentId }, index) => ({
        sessionId,
        trainerId,
        studentId,
        reason: 'timeout',
        endTime: starts[index]?.['expiresAt'],
      })),
    );
    // At least, because the journeys of the other tests end at the same time.
    await until('they are counted', async () => (await counted()) >= before + sessions.length);
  },
);

test.concurrent(
  'live shows the end with reason timeout at expiresAt, and all calls are 410 with it, at once and after the sweep',
  async () => {
    const session = await aSession();
    const { sessionId, trainerToken } = session;
    const { expiresAt: endedAt } = await start(session);
    const live = async () => data(await service.api.live(sessionId, session.studentToken));
    await until('it is not active any more', async () => (await live())['isActive'] === false);
    const over = { isActive: false, location: null, endedReason: 'timeout', endedAt };
    const ended = { status: 410, code: 'JOURNEY_ENDED', details: { reason: 'timeout', endedAt } };
    for (const sweep of [() => Promise.resolve(), () => endsOf(session, 1)]) {
      await sweep();
      expect(await live()).toMatchObject(over);
      const calls = [
        service.api.update(trainerToken, { sessionId, ...metersNorth(50) }),
        service.api.arrived(sessionId, trainerToken),
        service.api.stop(sessionId, trainerToken),
      ];
      expect((await Promise.all(calls)).map(refusal)).toEqual([ended, ended, ended]);
    }
  },
);

test.concurrent('after the limit no location, no metadata and no deadline is left', async () => {
  const session = await aSession();
  const { sessionId, trainerId, trainerToken } = session;
  await start(session);
  await service.api.update(trainerToken, { sessionId, ...metersNorth(50) });
  await endsOf(session, 1);
  const keys = await redis.client.keys(`*${sessionId}*`);
  expect(keys).not.toContain(`location:trainer:${trainerId}:session:${sessionId}`);
  expect(keys).not.toContain(`session:meta:${sessionId}`);
  expect(keys).toContain(`journey:ended:${sessionId}`);
  expect(await redis.client.zscore('journey:expiries', sessionId)).toBeNull();
});

test.concurrent(
  'a start right after the limit is a new journey, and the one before ends once with reason timeout',
  async () => {
    const session = await aSession();
    const first = await start(session);
    await until('the limit', async () => (await redis.client.exists(keyOf.active(session.sessionId))) === 0);
    const second = await start(session);
    expect(Date.parse(String(second['startedAt']))).toBeGreaterThanOrEqual(
      Date.parse(String(first['expiresAt'])),
    );
    const ends = await endsOf(session, 2);
    await everyTaskHasLooked();
    expect(eventsOf(session, 'TrainerJourneyEnded')).toHaveLength(2);
    // Another process may publish a start, later than the end.
    await until('both starts', () => eventsOf(session, 'TrainerJourneyStarted').length === 2);
    const reasons = ends.map(({ detail }) => [detail['reason'], detail['endTime']]);
    expect(reasons).toEqual(
      expect.arrayContaining([
        ['timeout', first['expiresAt']],
        ['timeout', second['expiresAt']],
      ]),
    );
  },
);

test.concurrent('a journey that was stopped in time does not end by its limit', async () => {
  const session = await aSession();
  await start(session);
  data(await service.api.stop(session.sessionId, session.trainerToken));
  await everyTaskHasLooked();
  expect(eventsOf(session, 'TrainerJourneyEnded').map(({ detail }) => detail['reason'])).toEqual([
    'cancelled',
  ]);
});

test.concurrent('updates do not prolong a journey', async () => {
  const session = await aSession();
  const { sessionId, trainerToken } = session;
  const { expiresAt } = await start(session);
  const last = await until('an update is refused because of the end', async () => {
    const answer = await service.api.update(trainerToken, { sessionId, ...metersNorth(50) });
    return answer.status === 410 && refusal(answer);
  });
  expect(last.details).toMatchObject({ reason: 'timeout', endedAt: expiresAt });
});

test('a journey that reached the limit while no process ran is ended by the next one that starts', async () => {
  const ownRedis = await startPrivateRedis();
  const settings = { REDIS_URL: ownRedis.url, JOURNEY_TTL_SECONDS: '1' };
  const before = await runService({ settings });
  const { sessionId, trainerToken, studentToken } = await aSession();
  const { expiresAt } = data(await before.api.start(sessionId, trainerToken));
  await before.stop();
  await until('the limit', async () => (await ownRedis.client.exists(`journey:active:${sessionId}`)) === 0);
  const after = await runService({ settings });
  try {
    expect(data(await after.api.live(sessionId, studentToken))).toMatchObject({ endedReason: 'timeout' });
    const ended = await until('the end', () =>
      after.eventsOf(sessionId).find(({ detailType }) => detailType === 'TrainerJourneyEnded'),
    );
    expect(ended.detail).toMatchObject({ reason: 'timeout', endTime: expiresAt });
  } finally {
    await after.stop();
    await ownRedis.stop();
  }
});

// Another version of the service knows only the keys of the contract.
const ids = ({ sessionId, trainerId, studentId }: ASession) => ({ sessionId, trainerId, studentId });
const endsSoFar = (session: ASession) => eventsOf(session, 'TrainerJourneyEnded');

async function endElsewhere(session: ASession): Promise<void> {
  const ended = { ...ids(session), endedAt: new Date().toISOString(), reason: 'arrived' };
  await redis.client.del(keyOf.active(session.sessionId), keyOf.meta(session.sessionId));
  await redis.client.set(keyOf.ended(session.sessionId), JSON.stringify(ended), 'EX', 300);
}

async function startElsewhere(session: ASession, seconds: number): Promise<void> {
  const startedAt = new Date().toISOString();
  const active = { ...ids(session), startedAt, status: 'in_progress' };
  await redis.client.del(keyOf.ended(session.sessionId));
  await redis.client.set(keyOf.active(session.sessionId), JSON.stringify(active), 'EX', seconds);
}

const isSwept = async ({ sessionId }: ASession) =>
  (await redis.client.zscore('journey:expiries', sessionId)) === null;

test.concurrent('nor when the mark of that end has expired, by its limit or by a start', async () => {
  const [session, restarted] = [await aJourney(service.api), await aJourney(service.api)];
  for (const each of [session, restarted]) {
    await endElsewhere(each);
    await redis.client.del(keyOf.ended(each.sessionId));
  }
  data(await service.api.start(restarted.sessionId, restarted.trainerToken));
  await until('its deadline is gone', () => isSwept(session));
  expect(endsSoFar(session)).toEqual([]);
  const [end] = await until(
    'the end of the second',
    () => endsSoFar(restarted).length > 0 && endsSoFar(restarted),
  );
  await everyTaskHasLooked();
  expect(endsSoFar(restarted)).toEqual([end]);
});

test.concurrent('a journey that another version ended is not ended again by its limit', async () => {
  const session = await aJourney(service.api);
  await endElsewhere(session);
  await until('its deadline is gone', () => isSwept(session));
  expect(endsSoFar(session)).toEqual([]);
  const live = data(await service.api.live(session.sessionId, session.studentToken));
  expect(live).toMatchObject({ isActive: false, endedReason: 'arrived' });
});

test.concurrent(
  'the limit of an earlier journey does not end the one that another version started',
  async () => {
    const session = await aJourney(service.api);
    await endElsewhere(session);
    await startElsewhere(session, 100);
    await until('the deadline is gone', () => isSwept(session));
    const live = data(await service.api.live(session.sessionId, session.studentToken));
    expect(live).toMatchObject({ isActive: true });
  },
);

test.concurrent('a start after an end by another version gives no second end', async () => {
  const session = await aJourney(service.api);
  await endElsewhere(session);
  data(await service.api.start(session.sessionId, session.trainerToken));
  await until('both starts', () => eventsOf(session, 'TrainerJourneyStarted').length >= 2);
  expect(endsSoFar(session)).toEqual([]);
});

test.concurrent.each([
  ['its first', () => aSession()],
  ['one after a journey of this version', () => aJourney(service.api)],
])(
  'a journey of another version that is updated here, %s, ends with its limit, and leaves no location',
  async (_which, aSuch) => {
    const session = await aSuch();
    await startElsewhere(session, 1);
    data(
      await service.api.update(session.trainerToken, { sessionId: session.sessionId, ...metersNorth(100) }),
    );
    const [end] = await until('its end', () => endsSoFar(session).length === 1 && endsSoFar(session));
    expect(end?.detail).toMatchObject({ ...ids(session), reason: 'timeout' });
    expect(await redis.client.exists(keyOf.location(session.trainerId, session.sessionId))).toBe(0);
    expect(refusal(await service.api.stop(session.sessionId, session.trainerToken)).code).toBe(
      'JOURNEY_ENDED',
    );
  },
);

test.concurrent('a start leaves nothing of an earlier position, whichever version stored it', async () => {
  const session = await aSession();
  const location = {
    ...metersNorth(900),
    timestamp: new Date().toISOString(),
    sequence: 700,
    ...ids(session),
  };
  const key = keyOf.location(session.trainerId, session.sessionId);
  await redis.client.set(key, JSON.stringify(location), 'EX', 300);
  data(await service.api.start(session.sessionId, session.trainerToken));
  expect(data(await service.api.live(session.sessionId, session.studentToken))).toMatchObject({
    location: null,
  });
});

test.concurrent(
  'an unreadable record does not delay other deadlines, and is logged as an error',
  async () => {
    const [broken, sound] = [await aJourney(service.api), await aJourney(service.api)];
    await redis.client.del(`journey:track:${broken.sessionId}`);
    await redis.client.lpush(`journey:track:${broken.sessionId}`, 'no record');
    await redis.client.zadd('journey:expiries', Date.now(), broken.sessionId);
    await until('the other ends', () => endsSoFar(sound).length === 1);
    await until('the error is logged', () =>
      services
        .flatMap((each) => each.logLines())
        .some((line) => line['level'] === 'error' && line['sessionId'] === broken.sessionId),
    );
  },
);

async function start({ sessionId, trainerToken }: ASession): Promise<Record<string, unknown>> {
  return data(await service.api.start(sessionId, trainerToken));
}

/** Of all tasks: the first one publishes. */
function eventsOf({ sessionId }: ASession, detailType: string): ReceivedEvent[] {
  const all = services.flatMap((each) => each.eventsOf(sessionId));
  return all.filter((event) => event.detailType === detailType);
}

function endsOf(session: ASession, count: number): Promise<ReceivedEvent[]> {
  return until(`${count} ends`, () => {
    const ends = eventsOf(session, 'TrainerJourneyEnded');
    return ends.length >= count && ends;
  });
}

/** A journey that starts now and ends by its limit: meanwhile every task has looked for overdue ones at least once. */
async function everyTaskHasLooked(): Promise<void> {
  const session = await aSession();
  await start(session);
  await endsOf(session, 1);
}
