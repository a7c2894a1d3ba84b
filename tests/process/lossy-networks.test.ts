import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { aSession, sessionsPool, type ASession } from '../support/a-session.js';
import {
  anActiveJourney,
  fiveCalls,
  makeAllFive,
  unavailable,
  withinASecond,
} from '../support/five-calls.js';
import { runService, type RunningService } from '../support/running-service.js';
import { testOfTheSource } from '../support/service-process.js';
import { sharedDatabaseUrl, sharedRedisUrl } from '../support/shared-services.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

/** Networks that are neither there nor away, and a Postgres that has no connection left. */
let redis: TcpProxy;
let postgres: TcpProxy;
let service: RunningService;
beforeAll(async () => {
  redis = await startTcpProxy(sharedRedisUrl());
  postgres = await startTcpProxy(sharedDatabaseUrl());
  service = await runService({
    settings: {
      REDIS_URL: redis.urlFor(sharedRedisUrl()),
      DATABASE_URL: postgres.urlFor(sharedDatabaseUrl()),
    },
  });
});
afterEach(() => {
  for (const network of [redis, postgres]) {
    // Cut, because what was held back on its way must not come in between what goes on it afterwards.
    network.cut();
    network.heal();
  }
});
afterAll(async () => {
  await service.stop();
  await redis.stop();
  await postgres.stop();
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
    await until('live is served', async () => (await live(session)).status === 200, 3_000);
  },
);

test.each(['requests', 'answers'] as const)(
  'while the %s alone between service and Postgres are lost, a start is 503 within a second; then it is served',
  async (way) => {
    await anActiveJourney(service.url);
    const session = await aSession();
    postgres.freeze(way);
    const answer = await withinASecond(() => fiveCalls.start(service.url, session));
    expect(answer).toMatchObject(unavailable);
    expect(answer.ms).toBeLessThan(1_000);
    // What was lost on the way stays lost: it is made anew.
    postgres.cut();
    postgres.heal();
    await until('start is served', async () => (await start(session)).status === 201, 3_000);
  },
);

test('connections whose other end has gone without a word are noticed: calls are served again, and until then 503', async () => {
  const session = await anActiveJourney(service.url);
  const scheduled = await aSession();
  redis.halfOpen();
  postgres.halfOpen();
  const statuses = new Set<number>();
  const isServed = async () => {
    const answers = [await live(session), await start(scheduled)];
    for (const { status } of answers) statuses.add(status);
    return answers.every(({ status }) => status === 200 || status === 201 || status === 409);
  };
  await until('both are served', isServed, 6_000);
  // Nobody is told that the journey is over, or not there.
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

  test('while none is left a start is 503, and it is served when there is one', async () => {
    const others: pg.Client[] = [];
    const crowded = await crowdedService(2, async (url) => {
      others.push(await connectTo(url), await connectTo(url));
    });
    try {
      const session = await aSession();
      expect(await fiveCalls.start(crowded.url, session)).toMatchObject(unavailable);
      await Promise.all(others.map((each) => each.end()));
      const isServed = async () => (await fiveCalls.start(crowded.url, session)).status === 201;
      await until('start is served', isServed, 3_000);
    } finally {
      await crowded.stop();
    }
  });

  // In a container a process that has just started does not get through so many in time.
  testOfTheSource(
    'a crowd of starts goes through the one that is open, whatever becomes of new ones',
    async () => {
      const crowded = await crowdedService(1);
      try {
        const sessions = await Promise.all(Array.from({ length: 50 }, () => aSession()));
        const answers = await Promise.all(sessions.map((session) => fiveCalls.start(crowded.url, session)));
        expect(answers.map(({ status }) => status)).toEqual(sessions.map(() => 201));
      } finally {
        await crowded.stop();
      }
    },
  );
});

const live = (session: ASession) => fiveCalls.live(service.url, session);
const start = (session: ASession) => fiveCalls.start(service.url, session);

async function connectTo(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return client;
}
