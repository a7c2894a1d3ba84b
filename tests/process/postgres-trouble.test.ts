import { randomUUID } from 'node:crypto';
import { aSession, sessionsPool } from '../support/a-session.js';
import { anActiveJourney, fiveCalls, timedGet, unavailable, withinASecond } from '../support/five-calls.js';
import { metric, runService, type RunningService } from '../support/running-service.js';
import { sharedDatabaseUrl, sharedRedisUrl } from '../support/shared-services.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

/** Lets a test end the connections of this service only. */
const applicationName = `postgres-trouble-${randomUUID()}`;
let postgres: TcpProxy;
let databaseUrl: string;
let service: RunningService;
beforeAll(async () => {
  postgres = await startTcpProxy(sharedDatabaseUrl());
  const url = new URL(postgres.urlFor(sharedDatabaseUrl()));
  url.searchParams.set('application_name', applicationName);
  databaseUrl = url.href;
  service = await runService({ settings: { DATABASE_URL: databaseUrl } });
});
afterEach(() => {
  // Drops what the proxy still holds back.
  postgres.cut();
  postgres.heal();
});
afterAll(async () => {
  await service.stop();
  await postgres.stop();
});

const troubles: [name: string, away: () => void][] = [
  [
    'refuses connections',
    () => {
      postgres.cut();
    },
  ],
  [
    'hangs',
    () => {
      postgres.freeze();
    },
  ],
  [
    'answers after its deadline',
    () => {
      postgres.delay(900);
    },
  ],
];

describe.each(troubles)('while Postgres %s', (_name, away) => {
  test('a start answers 503 STATE_UNAVAILABLE with Retry-After within a second', async () => {
    await anActiveJourney(service.url);
    const session = await aSession();
    away();
    const answer = await withinASecond(() => fiveCalls.start(service.url, session));
    expect(answer).toMatchObject(unavailable);
    expect(answer.ms).toBeLessThan(1_000);
  });

  test('a poll of a session that is not cached answers 503 within a second', async () => {
    const session = await aSession();
    away();
    const answer = await withinASecond(() => fiveCalls.live(service.url, session));
    expect(answer).toMatchObject(unavailable);
    expect(answer.ms).toBeLessThan(1_000);
  });

  test('an active journey continues: update, live, arrived and stop need only Redis', async () => {
    const [session, toBeStopped] = [await anActiveJourney(service.url), await anActiveJourney(service.url)];
    away();
    const statuses: number[] = [];
    for (const name of ['update', 'live', 'arrived', 'live'] as const) {
      statuses.push((await fiveCalls[name](service.url, session)).status);
    }
    statuses.push((await fiveCalls.stop(service.url, toBeStopped)).status);
    expect(statuses).toEqual([201, 200, 200, 200, 200]);
  });

  test('health/ready says degraded and stays 200', async () => {
    away();
    const answer = await until('degraded', async () => {
      const ready = await timedGet(`${service.url}/health/ready`);
      return ready.status !== 200 || JSON.stringify(ready.body).includes('degraded') ? ready : undefined;
    });
    expect(answer).toMatchObject({
      status: 200,
      body: { data: { status: 'degraded', redis: 'up', postgres: 'down' } },
    });
  });

  test('it is used again after it has recovered', async () => {
    const session = await aSession();
    away();
    expect(await fiveCalls.start(service.url, session)).toMatchObject(unavailable);
    postgres.cut();
    postgres.heal();
    const started = async () => (await fiveCalls.start(service.url, session)).status === 201;
    await until('start is served', started, 2_000);
    const ready = async () =>
      JSON.stringify((await timedGet(`${service.url}/health/ready`)).body).includes('"ready"');
    await until('ready', ready, 3_000);
  });
});

test('a hundred simultaneous calls while Postgres hangs are all answered 503', async () => {
  const sessions = await Promise.all(Array.from({ length: 50 }, () => aSession()));
  postgres.freeze();
  const answers = await Promise.all(
    sessions.flatMap((session) => [
      fiveCalls.start(service.url, session),
      fiveCalls.live(service.url, session),
    ]),
  );
  expect(answers).toMatchObject(answers.map(() => unavailable));
  // Twice the contract's second, because a hundred calls at once are slow on a busy machine.
  expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(2_000);
});

test('connections that Postgres closes are replaced', async () => {
  await anActiveJourney(service.url);
  const session = await aSession();
  const ended = await sessionsPool().query(
    'select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1',
    [applicationName],
  );
  expect(ended.rowCount).toBeGreaterThan(0);
  const started = async () => (await fiveCalls.start(service.url, session)).status === 201;
  await until('start is served', started, 2_000);
});

describe('while Redis is in trouble at the same time', () => {
  let redis: TcpProxy;
  let troubled: RunningService;
  beforeEach(async () => {
    redis = await startTcpProxy(sharedRedisUrl());
    troubled = await runService({
      settings: { DATABASE_URL: databaseUrl, REDIS_URL: redis.urlFor(sharedRedisUrl()) },
    });
  });
  afterEach(async () => {
    redis.cut();
    await troubled.stop();
    await redis.stop();
  });

  test('Postgres slow and Redis hanging: a start is still answered within a second', async () => {
    const session = await aSession();
    postgres.delay(300);
    redis.freeze();
    const answer = await withinASecond(() => fiveCalls.start(troubled.url, session));
    expect(answer).toMatchObject(unavailable);
    expect(answer.ms).toBeLessThan(1_000);
  });

  test('Redis slow and Postgres hanging: a poll without a cached session is still answered within a second', async () => {
    const session = await aSession();
    redis.delay(200);
    postgres.freeze();
    const answer = await withinASecond(() => fiveCalls.live(troubled.url, session));
    expect(answer).toMatchObject(unavailable);
    expect(answer.ms).toBeLessThan(1_000);
  });
});

test('a slow Postgres that answers in time is waited for', async () => {
  await anActiveJourney(service.url);
  const session = await aSession();
  postgres.delay(100);
  expect(await fiveCalls.start(service.url, session)).toMatchObject({ status: 201 });
});

test('a crowd that starts at once while Postgres is slow is served', async () => {
  await anActiveJourney(service.url);
  const sessions = await Promise.all(Array.from({ length: 40 }, () => aSession()));
  // One query each would take too long: there are four connections, and a reply takes 100 ms.
  postgres.delay(50);
  const answers = await Promise.all(sessions.map((session) => fiveCalls.start(service.url, session)));
  expect(answers.map(({ status }) => status)).toEqual(sessions.map(() => 201));
});

test('an outage of Postgres is not cached: the first poll after it gets the session', async () => {
  const session = await aSession();
  postgres.cut();
  expect(await fiveCalls.live(service.url, session)).toMatchObject(unavailable);
  postgres.heal();
  expect(await fiveCalls.live(service.url, session)).toMatchObject({
    status: 200,
    body: { data: { isActive: false } },
  });
});

test('failed queries are counted for the operator', async () => {
  const before = await metric(service, 'postgres_query_duration_seconds_count', 'outcome="failed"');
  const session = await aSession();
  postgres.cut();
  await fiveCalls.start(service.url, session);
  const after = await metric(service, 'postgres_query_duration_seconds_count', 'outcome="failed"');
  expect(after).toBeGreaterThan(before);
});

test('all connections are usable after an outage', async () => {
  postgres.freeze();
  const sessions = await Promise.all(Array.from({ length: 20 }, () => aSession()));
  await Promise.all(sessions.map((session) => fiveCalls.start(service.url, session)));
  postgres.cut();
  postgres.heal();
  const isServed = async () => {
    const answers = await Promise.all(sessions.map((session) => fiveCalls.start(service.url, session)));
    return answers.every(({ status }) => status === 201 || status === 409);
  };
  await until('all twenty are served at once', isServed, 5_000);
});
