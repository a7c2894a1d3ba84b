import { aSession, metersNorth, type ASession } from '../support/a-session.js';
import { data } from '../support/api.js';
import { fiveCalls, makeAllFive, nameOfCalls, timedGet, unavailable } from '../support/five-calls.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { testWithRedisProcess } from '../support/redis-process-test.js';
import { redisTroubles } from '../support/redis-troubles.js';
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

const troubles = redisTroubles(
  () => redis,
  () => proxy,
).filter(([name]) => !name.includes('passes nothing'));

describe.each(troubles)('while %s', (_name, { test, begin, end, mayHaveArrived }) => {
  test('each call is 503 within a second, also for a new session, and other journeys go on afterwards', async () => {
    const [session, active] = [await anActiveJourney(), await anActiveJourney()];
    const scheduled = await aSession();
    await begin();
    const answers = [
      ...(await makeAllFive(service.url, session)),
      ...(await makeAllFive(service.url, session)),
      ...(await makeAllFive(service.url, scheduled)),
    ];
    const live = await recovered(end, active);
    for (const [index, answer] of answers.entries()) {
      const call = nameOfCalls[index % nameOfCalls.length];
      expect({ call, ...answer }).toMatchObject({ call, ...unavailable });
      expect(answer.ms).toBeLessThan(1_000);
    }
    expect(live).toMatchObject({ isActive: true, location: { accuracy: 5 } });
  });

  test('health/live stays 200 and quick, health/ready turns 503 and is 200 again afterwards', async () => {
    const session = await anActiveJourney();
    await begin();
    const notReady = await until('not ready', async () => {
      const answer = await timedGet(`${service.url}/health/ready`);
      return answer.status === 503 && answer;
    });
    const live = await timedGet(`${service.url}/health/live`);
    await recovered(end, session);
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

  test('a refused call is carried out at most once, however often it is repeated', async () => {
    const active = await anActiveJourney();
    const scheduled = await aSession();
    await begin();
    for (let times = 5; times > 0; times--) {
      const refused = await Promise.all([
        fiveCalls.stop(service.url, active),
        fiveCalls.start(service.url, scheduled),
        fiveCalls.update(service.url, active),
      ]);
      expect(refused).toMatchObject([unavailable, unavailable, unavailable]);
    }
    await end();
    const started = await answered('start', scheduled);
    const stopped = await answered('stop', active);
    expect(mayHaveArrived ? [201, 409] : [201]).toContain(started);
    expect(mayHaveArrived ? [200, 410] : [200]).toContain(stopped);
    expect(await answered('stop', scheduled)).toBe(200);
    const both = ['TrainerJourneyStarted', 'TrainerJourneyEnded'];
    expect(await eventsUntilNothingIsLeft(active)).toEqual(both);
    expect(await eventsUntilNothingIsLeft(scheduled)).toEqual(both);
  });
});

testWithRedisProcess('after Redis has lost its data live shows no journey', async () => {
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

/** Ends the trouble. @returns what live shows, which is served again within two seconds */
async function recovered(end: () => unknown, session: ASession): Promise<unknown> {
  await end();
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

/** The status of the first answer that is not 503. */
function answered(name: keyof typeof fiveCalls, session: ASession): Promise<number> {
  return until(`${name} is served`, async () => {
    const { status } = await fiveCalls[name](service.url, session);
    return status !== 503 && status;
  });
}

/** The types of a session's events without repeats, once the outbox is empty. */
async function eventsUntilNothingIsLeft({ sessionId }: ASession): Promise<string[]> {
  await until('the outbox is empty', async () => (await redis.client.xlen('journey:outbox')) === 0);
  const byId = new Map(
    service.eventsOf(sessionId).map((event) => [event.detail['eventId'], event.detailType]),
  );
  return [...byId.values()].sort().reverse();
}
