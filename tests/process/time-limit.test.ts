import type { ReceivedEvent } from '../../src/dev/event-bus/local-event-bus.js';
import { aSession, metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { metric, runService, type RunningService } from '../support/running-service.js';
import { until } from '../support/until.js';

/**
 * Three tasks of the same service, as in production, with a limit of a second in place of an hour. The tests are
 * concurrent, because all of them wait for that second.
 */
let redis: PrivateRedis;
let services: RunningService[];
let service: RunningService;
beforeAll(async () => {
  redis = await startPrivateRedis();
  services = [];
  for (let task = 3; task > 0; task--) {
    services.push(await runService({ settings: { REDIS_URL: redis.url, JOURNEY_TTL_SECONDS: '1' } }));
  }
  service = services[0] as RunningService;
});
afterAll(async () => {
  await Promise.all(services.map((each) => each.stop()));
  await redis.stop();
});

test.concurrent(
  'journeys that run into the limit are each ended once with reason timeout, at their expiresAt',
  async () => {
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
  },
);

test.concurrent(
  'live says ended with reason timeout and endedAt the expiresAt of the journey, at once and after the sweep',
  async () => {
    const session = await aSession();
    const { expiresAt } = await start(session);
    const live = () =>
      service.api.live(session.sessionId, session.studentToken).then((answer) => data(answer));
    const first = await until('it is not active any more', async () => {
      const answer = await live();
      return answer['isActive'] === false && answer;
    });
    await endsOf(session, 1);
    for (const answer of [first, await live()]) {
      expect(answer).toMatchObject({
        isActive: false,
        location: null,
        endedReason: 'timeout',
        endedAt: expiresAt,
      });
    }
  },
);

test.concurrent(
  'update, arrived and stop after the limit are 410 JOURNEY_ENDED with reason timeout',
  async () => {
    const session = await aSession();
    const { sessionId, trainerToken } = session;
    const { expiresAt } = await start(session);
    const calls = () =>
      Promise.all([
        service.api.update(trainerToken, { sessionId, ...metersNorth(50) }),
        service.api.arrived(sessionId, trainerToken),
        service.api.stop(sessionId, trainerToken),
      ]);
    await until('it is not active any more', async () => {
      const live = data(await service.api.live(sessionId, session.studentToken));
      return live['isActive'] === false;
    });
    const ended = { status: 410, code: 'JOURNEY_ENDED', details: { reason: 'timeout', endedAt: expiresAt } };
    const atOnce = await calls();
    await endsOf(session, 1);
    const later = await calls();
    expect([...atOnce, ...later].map(refusal)).toEqual(Array<unknown>(6).fill(ended));
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
  'a start right after the limit is a new journey, and the one before is told once with reason timeout',
  async () => {
    const session = await aSession();
    const first = await start(session);
    const second = await until<Record<string, unknown>>('the next start', async () => {
      const answer = await service.api.start(session.sessionId, session.trainerToken);
      return answer.status === 201 ? data(answer) : undefined;
    });
    expect(Date.parse(String(second['startedAt']))).toBeGreaterThanOrEqual(
      Date.parse(String(first['expiresAt'])),
    );
    const ends = await endsOf(session, 2);
    await everyTaskHasLooked();
    expect(eventsOf(session, 'TrainerJourneyEnded')).toHaveLength(2);
    expect(eventsOf(session, 'TrainerJourneyStarted')).toHaveLength(2);
    const told = ends.map(({ detail }) => [detail['reason'], detail['endTime']]);
    expect(told).toEqual(
      expect.arrayContaining([
        ['timeout', first['expiresAt']],
        ['timeout', second['expiresAt']],
      ]),
    );
  },
);

test.concurrent('a journey that was stopped in time is not told to have run into the limit', async () => {
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

test.concurrent('journeys that ran into the limit are counted by the tasks together', async () => {
  const counted = async () => {
    const counts = await Promise.all(services.map((each) => metric(each, 'journeys_expired_total')));
    return counts.reduce((sum, count) => sum + count, 0);
  };
  const before = await counted();
  const sessions = await Promise.all(Array.from({ length: 5 }, () => aSession()));
  await Promise.all(sessions.map((session) => start(session)));
  // At least: the other tests' journeys end at the same time.
  await until('they are counted', async () => (await counted()) >= before + sessions.length);
});

async function start({ sessionId, trainerToken }: ASession): Promise<Record<string, unknown>> {
  return data(await service.api.start(sessionId, trainerToken));
}

/** Of all tasks: whichever comes first tells. */
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
