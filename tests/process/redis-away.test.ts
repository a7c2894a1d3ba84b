import { aSession, metersNorth, type ASession } from '../support/a-session.js';
import { data } from '../support/api.js';
import { fiveCalls, makeAllFive, nameOfCalls, timedGet, unavailable } from '../support/five-calls.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { testWithRedisProcess } from '../support/redis-process-test.js';
import { runService, type RunningService } from '../support/running-service.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

let redis: PrivateRedis;
let proxy: TcpProxy;
let service: RunningService;
beforeAll(async () => {
  redis = await startPrivateRedis();
  proxy = await startTcpProxy(redis.url);
  service = await runService({
    settings: { REDIS_URL: proxy.urlFor(redis.url), TRAINER_NEARBY_EVENTS: 'false' },
  });
});
afterAll(async () => {
  await service.stop();
  await proxy.stop();
  await redis.stop();
});

interface Trouble {
  test: typeof test;
  away: () => void | Promise<void>;
  back: () => void | Promise<void>;
  /** Whether a command may have reached Redis although nobody heard of it. */
  mayHaveArrived: boolean;
}

const troubles: [name: string, trouble: Trouble][] = [
  [
    'the connection to Redis is cut',
    {
      test,
      away: () => {
        proxy.cut();
      },
      back: () => {
        proxy.heal();
      },
      mayHaveArrived: false,
    },
  ],
  [
    'the process of Redis hangs',
    {
      test: testWithRedisProcess,
      away: () => {
        redis.freeze();
      },
      back: () => {
        redis.thaw();
      },
      mayHaveArrived: true,
    },
  ],
  [
    'the process of Redis is killed',
    {
      test: testWithRedisProcess,
      away: () => redis.kill(),
      back: () => redis.startAgain({ withData: true }),
      mayHaveArrived: false,
    },
  ],
];

describe.each(troubles)('while %s', (_name, { test, away, back, mayHaveArrived }) => {
  test('each of the five calls answers 503 STATE_UNAVAILABLE with Retry-After within a second', async () => {
    const session = await anActiveJourney();
    await away();
    const first = await makeAllFive(service.url, session);
    const later = await makeAllFive(service.url, session);
    await backAndServing(back, session);
    for (const [index, answer] of [...first, ...later].entries()) {
      const call = nameOfCalls[index % nameOfCalls.length];
      expect({ call, ...answer }).toMatchObject({ call, ...unavailable });
      expect(answer.ms).toBeLessThan(1_000);
    }
  });

  test('a call for a session that Redis has never seen is 503 too, and an active journey outlives it', async () => {
    const active = await anActiveJourney();
    const session = await aSession();
    await away();
    const answers = await makeAllFive(service.url, session);
    const live = await backAndServing(back, active);
    expect(live).toMatchObject({ isActive: true, location: { accuracy: 5 } });
    expect(answers).toMatchObject(nameOfCalls.map(() => unavailable));
  });

  test('health/live stays 200 and quick, health/ready turns 503 and is 200 again afterwards', async () => {
    const session = await anActiveJourney();
    await away();
    const notReady = await until('not ready', async () => {
      const answer = await timedGet(`${service.url}/health/ready`);
      return answer.status === 503 && answer;
    });
    const live = await timedGet(`${service.url}/health/live`);
    await backAndServing(back, session);
    await until(
      'ready again',
      async () => (await timedGet(`${service.url}/health/ready`)).status === 200,
      3_000,
    );
    expect(notReady).toMatchObject(unavailable);
    expect(notReady.body).toMatchObject({ error: { details: { redis: 'down' } } });
    expect(live.status).toBe(200);
    expect(live.ms).toBeLessThan(500);
  });

  test('what was refused meanwhile is carried out once at most, however often it was asked for', async () => {
    const active = await anActiveJourney();
    const scheduled = await aSession();
    await away();
    for (let times = 5; times > 0; times--) {
      const refused = await Promise.all([
        fiveCalls.stop(service.url, active),
        fiveCalls.start(service.url, scheduled),
        fiveCalls.update(service.url, active),
      ]);
      expect(refused).toMatchObject([unavailable, unavailable, unavailable]);
    }
    await back();
    const started = await answered('start', scheduled);
    const stopped = await answered('stop', active);
    expect(started).toBe(mayHaveArrived ? expectOneOf(started, [201, 409]) : 201);
    expect(stopped).toBe(mayHaveArrived ? expectOneOf(stopped, [200, 410]) : 200);
    expect(await answered('stop', scheduled)).toBe(200);
    expect(await eventsUntilNothingIsLeft(active)).toEqual(['TrainerJourneyStarted', 'TrainerJourneyEnded']);
    expect(await eventsUntilNothingIsLeft(scheduled)).toEqual([
      'TrainerJourneyStarted',
      'TrainerJourneyEnded',
    ]);
  });
});

testWithRedisProcess('a Redis that comes back without its data has no journeys: live says so', async () => {
  const session = await anActiveJourney();
  await redis.kill();
  expect(await fiveCalls.live(service.url, session)).toMatchObject(unavailable);
  await redis.startAgain({ withData: false });
  const live = await until('served again', async () => {
    const answer = await fiveCalls.live(service.url, session);
    return answer.status === 200 && answer;
  });
  expect(live.body).toMatchObject({ data: { isActive: false, location: null } });
});

async function anActiveJourney(): Promise<ASession> {
  const session = await aSession();
  data(await service.api.start(session.sessionId, session.trainerToken));
  const position = { sessionId: session.sessionId, ...metersNorth(100), accuracy: 5 };
  data(await service.api.update(session.trainerToken, position));
  return session;
}

/** Ends the trouble; the same process must serve again within two seconds. Returns what live then says. */
async function backAndServing(back: Trouble['back'], session: ASession): Promise<unknown> {
  await back();
  const live = await until(
    'live is served again',
    async () => {
      const answer = await fiveCalls.live(service.url, session);
      return answer.status !== 503 && answer;
    },
    2_000,
  );
  expect(live.status).toBe(200);
  return live.body['data'];
}

/** The status of the first answer that is none of an outage. */
function answered(name: keyof typeof fiveCalls, session: ASession): Promise<number> {
  return until(`${name} is served`, async () => {
    const { status } = await fiveCalls[name](service.url, session);
    return status !== 503 && status;
  });
}

/** The types of one session's events, repeats not counted, once the outbox is empty. */
async function eventsUntilNothingIsLeft({ sessionId }: ASession): Promise<string[]> {
  await until('the outbox is empty', async () => (await redis.client.xlen('journey:outbox')) === 0);
  const byId = new Map(
    service.eventsOf(sessionId).map((event) => [event.detail['eventId'], event.detailType]),
  );
  return [...byId.values()].sort().reverse();
}

function expectOneOf(status: number, expected: number[]): number {
  expect(expected).toContain(status);
  return status;
}
