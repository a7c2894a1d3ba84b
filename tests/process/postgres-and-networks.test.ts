import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { aSession, sessionsPool, type ASession } from '../support/a-session.js';
import {
  anActiveJourney,
  fiveCalls,
  makeAllFive,
  timedGet,
  unavailable,
  withinASecond,
} from '../support/five-calls.js';
import { metric, runService, type RunningService } from '../support/running-service.js';
import { sharedDatabaseUrl, sharedRedisUrl } from '../support/shared-services.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

/** So that a test can end this service's connections and no other's. */
const applicationName = `postgres-trouble-${randomUUID()}`;
let postgres: TcpProxy;
let redis: TcpProxy;
let databaseUrl: string;
let service: RunningService;
beforeAll(async () => {
  postgres = await startTcpProxy(sharedDatabaseUrl());
  const url = new URL(postgres.urlFor(sharedDatabaseUrl()));
  url.searchParams.set('application_name', applicationName);
  databaseUrl = url.href;
  redis = await startTcpProxy(sharedRedisUrl());
  service = await runService({
    settings: { DATABASE_URL: databaseUrl, REDIS_URL: redis.urlFor(sharedRedisUrl()) },
  });
});
afterEach(() => {
  // Cut first, so that delayed bytes do not arrive between later ones.
  postgres.cut();
  postgres.heal();
  redis.heal();
});
afterAll(async () => {
  await service.stop();
  await postgres.stop();
  await redis.stop();
});

const troubles: [name: string, begin: () => unknown][] = [
  ['refuses connections', () => postgres.cut()],
  ['hangs', () => postgres.freeze()],
  ['answers after its timeout', () => postgres.delay(900)],
];

const isServed = (session: ASession, url = service.url) =>
  until('start is served', async () => (await fiveCalls.start(url, session)).status === 201, 3_000);

async function expectUnavailable(call: 'start' | 'live', session: ASession): Promise<void> {
  const answer = await withinASecond(() => fiveCalls[call](service.url, session));
  expect(answer).toMatchObject(unavailable);
  expect(answer.ms).toBeLessThan(1_000);
}

describe.each(troubles)('while Postgres %s', (_name, begin) => {
  test.each(['start', 'live'] as const)(
    '%s of a session that is not cached is 503 within a second',
    async (call) => {
      await anActiveJourney(service.url);
      const session = await aSession();
      begin();
      await expectUnavailable(call, session);
    },
  );

  test('an active journey goes on: update, live, arrived and stop need only Redis', async () => {
    const [session, toBeStopped] = [await anActiveJourney(service.url), await anActiveJourney(service.url)];
    begin();
    const statuses: number[] = [];
    for (const name of ['update', 'live', 'arrived', 'live'] as const) {
      statuses.push((await fiveCalls[name](service.url, session)).status);
    }
    statuses.push((await fiveCalls.stop(service.url, toBeStopped)).status);
    expect(statuses).toEqual([201, 200, 200, 200, 200]);
  });

  test('health/ready says degraded and stays 200', async () => {
    begin();
    const answer = await until('degraded', async () => {
      const ready = await timedGet(`${service.url}/health/ready`);
      return ready.status !== 200 || JSON.stringify(ready.body).includes('degraded') ? ready : undefined;
    });
    expect(answer).toMatchObject({
      status: 200,
      body: { data: { status: 'degraded', redis: 'up', postgres: 'down' } },
    });
  });

  test('it is used again after it recovers', async () => {
    const session = await aSession();
    begin();
    expect(await fiveCalls.start(service.url, session)).toMatchObject(unavailable);
    postgres.cut();
    postgres.heal();
    await isServed(session);
    const ready = async () =>
      JSON.stringify((await timedGet(`${service.url}/health/ready`)).body).includes('"ready"');
    await until('ready', ready, 3_000);
  });
});

test('a hundred calls at once while Postgres hangs, more than there are connections, are all answered 503', async () => {
  const sessions = await Promise.all(Array.from({ length: 50 }, () => aSession()));
  postgres.freeze();
  const answers = await Promise.all(
    sessions.flatMap((session) => [
      fiveCalls.start(service.url, session),
      fiveCalls.live(service.url, session),
    ]),
  );
  expect(answers).toMatchObject(answers.map(() => unavailable));
  // Twice the contract's second, because a busy machine handles a hundred answers slowly.
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
  await isServed(session);
});

describe('while Redis is in trouble at the same time', () => {
  afterEach(async () => {
    redis.cut();
    redis.heal();
    const isReady = async () => (await timedGet(`${service.url}/health/ready`)).status === 200;
    await until('Redis is back', isReady);
  });

  test('Postgres slow and Redis hanging: a start is still answered within a second', async () => {
    await anActiveJourney(service.url);
    const session = await aSession();
    postgres.delay(300);
    redis.freeze();
    await expectUnavailable('start', session);
  });

  test('Redis slow and Postgres hanging: a poll without a cached session is still answered within a second', async () => {
    await anActiveJourney(service.url);
    const session = await aSession();
    redis.delay(200);
    postgres.freeze();
    await expectUnavailable('live', session);
  });
});

test('a burst of starts while Postgres is slow is served', async () => {
  await anActiveJourney(service.url);
  const sessions = await Promise.all(Array.from({ length: 40 }, () => aSession()));
  // One query each would take too long: there are four connections, and a response takes 100 ms.
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

test.each(['requests', 'answers'] as const)(
  'while the %s alone between service and Redis are lost, all five calls are 503 within a second; then they are served',
  async (way) => {
    const session = await anActiveJourney(service.url);
    redis.freeze(way);
    const answers = await makeAllFive(service.url, session);
    for (const answer of answers) {
      expect(answer).toMatchObject(unavailable);
      expect(answer.ms).toBeLessThan(1_000);
    }
    redis.cut();
    redis.heal();
    const served = async () => (await fiveCalls.live(service.url, session)).status === 200;
    await until('live is served', served, 3_000);
  },
);

test.each(['requests', 'answers'] as const)(
  'while the %s alone between service and Postgres are lost, a start is 503 within a second; then it is served',
  async (way) => {
    await anActiveJourney(service.url);
    const session = await aSession();
    postgres.freeze(way);
    await expectUnavailable('start', session);
    // A connection that has lost bytes is of no use.
    postgres.cut();
    postgres.heal();
    await isServed(session);
  },
);

test('half-open connections are detected: calls are 503 until they are served again', async () => {
  const session = await anActiveJourney(service.url);
  const scheduled = await aSession();
  redis.halfOpen();
  postgres.halfOpen();
  const statuses = new Set<number>();
  const served = async () => {
    const answers = [
      await fiveCalls.live(service.url, session),
      await fiveCalls.start(service.url, scheduled),
    ];
    for (const { status } of answers) statuses.add(status);
    return answers.every(({ status }) => status === 200 || status === 201 || status === 409);
  };
  await until('both are served', served, 6_000);
  // An outage never looks like the end of a journey.
  expect([...statuses].filter((status) => ![200, 201, 409, 503].includes(status))).toEqual([]);
});

describe('a Postgres that has few connections', () => {
  /** A service whose user may have so many at once. */
  async function crowdedService(
    connections: number,
    before: (url: string) => Promise<unknown> = () => Promise.resolve(),
  ) {
    const role = `crowded_${randomBytes(6).toString('hex')}`;
    const admin = sessionsPool();
    await admin.query(`create role ${role} login password 'crowded' connection limit ${connections}`);
    await admin.query(`grant select on tutoring_sessions to ${role}`);
    const url = new URL(sharedDatabaseUrl());
    [url.username, url.password] = [role, 'crowded'];
    await before(url.href);
    const crowded = await runService({ settings: { DATABASE_URL: url.href } });
    return {
      url: crowded.url,
      stop: async () => {
        await crowded.stop();
        await admin.query(`drop owned by ${role}; drop role ${role}`);
      },
    };
  }

  test('with two for a pool of four, many starts at once are served', async () => {
    const crowded = await crowdedService(2);
    try {
      const sessions = await Promise.all(Array.from({ length: 20 }, () => aSession()));
      const starts = sessions.map(async (session) => (await fiveCalls.start(crowded.url, session)).status);
      expect(await Promise.all(starts)).toEqual(sessions.map(() => 201));
      expect(await timedGet(`${crowded.url}/health/ready`)).toMatchObject({
        body: { data: { postgres: 'up' } },
      });
    } finally {
      await crowded.stop();
    }
  });

  test('while none is left a start is 503, and it is served when there is one', async () => {
    const others: pg.Client[] = [];
    const crowded = await crowdedService(2, async (url) =>
      others.push(await connectTo(url), await connectTo(url)),
    );
    try {
      const session = await aSession();
      expect(await fiveCalls.start(crowded.url, session)).toMatchObject(unavailable);
      await Promise.all(others.map((each) => each.end()));
      await isServed(session, crowded.url);
    } finally {
      await crowded.stop();
    }
  });
});

async function connectTo(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return client;
}
