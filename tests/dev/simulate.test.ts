import { createServer } from 'node:net';
import { sessionsPool } from '../support/a-session.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { runService, type RunningService } from '../support/running-service.js';
import { sharedDatabaseUrl } from '../support/shared-services.js';
import { simulate, simulateProcess } from '../support/simulate-process.js';
import { SECRET } from '../support/tokens.js';
import { until } from '../support/until.js';

const intervalMs = 500;
// Its own, so that no other test's events come to this service.
let redis: PrivateRedis;
let service: RunningService;
beforeAll(async () => {
  redis = await startPrivateRedis();
  // A machine that is busy with other tests is no reason for a 503.
  const patience = { REDIS_COMMAND_TIMEOUT_MS: '800', POSTGRES_TIMEOUT_MS: '900' };
  const settings = {
    REDIS_URL: redis.url,
    UPDATE_INTERVAL_MS: String(intervalMs),
    LOG_LEVEL: 'warn',
    ...patience,
  };
  service = await runService({ settings });
});
afterAll(async () => {
  await service.stop();
  await redis.stop();
});

const secrets = () => ({ SIMULATE_DATABASE_URL: sharedDatabaseUrl(), SIMULATE_JWT_SECRET: SECRET });
const run = (...args: string[]) => simulate(['--url', service.url, '--seed', '1', ...args], secrets());
const sum = (counts: Record<string, number> = {}) =>
  Object.values(counts).reduce((one, other) => one + other, 0);

/** The sessions of the journeys that the service has told of so far. */
function sessionIds(): string[] {
  const started = service.bus.received().filter(({ detailType }) => detailType === 'TrainerJourneyStarted');
  return started.map(({ detail }) => String(detail['sessionId']));
}

async function simulatedRows(): Promise<number> {
  const sql = 'select 1 from tutoring_sessions where id = any($1)';
  return (await sessionsPool().query(sql, [sessionIds()])).rowCount ?? -1;
}

const keysLike = (pattern: string): Promise<string[]> => redis.client.keys(pattern);

describe('a fleet against the real service', () => {
  let code: number | null;
  let report: Awaited<ReturnType<typeof run>>['report'];
  let stderr: string;
  beforeAll(async () => {
    ({ code, report, stderr } = await run('--journeys', '150', '--minutes', '0.15', '--ramp-up', '3'));
  }, 60_000);

  test('finds nothing wrong', () => {
    expect(report.wrong).toEqual([]);
    expect({ code, network: report.network, endedEarly: report.endedEarly }).toEqual({
      code: 0,
      network: {},
      endedEarly: false,
    });
  });

  test('the journeys add up: what has started has ended somehow, and each call is counted', () => {
    const { started, arrived, cancelled, stoppedAtEnd, lost, neverStarted, leftGoing } = report.journeys;
    expect(started).toBeGreaterThanOrEqual(150);
    expect({ lost, neverStarted, leftGoing }).toEqual({ lost: 0, neverStarted: 0, leftGoing: 0 });
    expect(arrived + cancelled + stoppedAtEnd).toBe(started);
    expect(arrived + cancelled).toBeGreaterThan(0);
    expect(report.callsInAll.start).toEqual({ '201': started });
    expect(report.callsInAll.arrived?.['200'] ?? 0).toBe(arrived);
    expect(report.callsInAll.stop).toEqual({ '200': cancelled + stoppedAtEnd });
  });

  test('the steady state lasted as long as asked, at the rate that the service asks for', () => {
    const { phase, seconds } = report.measured;
    expect(phase).toBe('steady');
    expect(Math.abs(seconds - 9)).toBeLessThan(3);
    const { update, poll } = report.calls;
    // The service may want them less often than at the limit, but not less than at a third of it; and there are tunnels.
    expect(update?.perSecond).toBeGreaterThan(0.25 * 150 * (1_000 / intervalMs));
    expect(update?.perSecond).toBeLessThan(1.02 * 150 * (1_000 / intervalMs));
    expect(poll?.perSecond).toBeGreaterThan(150 / 5);
  });

  test('each kind of call is counted by status, with latencies in their order', () => {
    for (const call of Object.values(report.calls)) {
      expect(sum(call.byOutcome)).toBe(call.count);
      expect(sum(call.refusedByCode)).toBe(sum(call.byOutcome) - successes(call.byOutcome));
      const { count, p50, p95, p99, max } = call.latencyMs ?? { count: 0, p50: 0, p95: 0, p99: 0, max: 0 };
      expect(count).toBe(call.count);
      expect([p50, p95, p99, max]).toEqual([p50, p95, p99, max].sort((one, other) => one - other));
      expect(p50).toBeGreaterThan(0);
    }
  });

  test('students see positions, and how old these are', () => {
    const { fromAcceptance, fromFix } = report.positionAgeMs;
    expect(fromAcceptance?.count).toBeGreaterThan(150);
    expect(fromAcceptance?.max).toBeLessThan(10_000);
    expect(fromFix?.p50).toBeGreaterThan(fromAcceptance?.p50 ?? Infinity);
  });

  test('the service agrees: it tells of as many starts', async () => {
    await until('all starts are told', () => sessionIds().length >= report.journeys.started);
    expect(sessionIds()).toHaveLength(report.journeys.started);
  });

  test('nothing is left in Postgres, and no journey in Redis', async () => {
    expect(await simulatedRows()).toBe(0);
    expect(await keysLike('journey:active:*')).toEqual([]);
    expect(await keysLike('location:trainer:*')).toEqual([]);
  });

  test('progress goes to standard error, in plain lines where that is no terminal', () => {
    expect(stderr).toMatch(/measuring \[\.+\] 0 %/);
    expect(stderr).not.toContain('\u001b');
  });
});

function successes(byOutcome: Record<string, number>): number {
  return (byOutcome['200'] ?? 0) + (byOutcome['201'] ?? 0) + (byOutcome['304'] ?? 0);
}

test('--leave leaves the journeys, whose sessions are taken away all the same', async () => {
  const told = sessionIds().length;
  const { code, report } = await run('--journeys', '5', '--minutes', '0.02', '--ramp-up', '0', '--leave');
  expect(code).toBe(0);
  const { started, arrived, cancelled, leftGoing } = report.journeys;
  expect(leftGoing).toBe(started - arrived - cancelled);
  await until('all starts are told', () => sessionIds().length >= told + started);
  expect(await keysLike('journey:active:*')).toHaveLength(leftGoing);
  expect(await simulatedRows()).toBe(0);
});

test('with --watch-share 0 nobody watches', async () => {
  const { report } = await run(
    '--journeys',
    '5',
    '--minutes',
    '0.02',
    '--ramp-up',
    '0',
    '--watch-share',
    '0',
  );
  expect(Object.keys(report.callsInAll).sort()).toEqual(expect.arrayContaining(['start', 'stop', 'update']));
  expect(report.callsInAll).not.toHaveProperty('poll');
});

test('students who wait are served too', async () => {
  const { code, report } = await run(
    '--journeys',
    '10',
    '--minutes',
    '0.05',
    '--ramp-up',
    '0',
    '--watch',
    'wait',
  );
  expect(report.wrong).toEqual([]);
  expect(code).toBe(0);
  expect(report.positionAgeMs.fromAcceptance?.count).toBeGreaterThan(10);
});

test('without --json a table for people comes out', async () => {
  const args = ['--url', service.url, '--journeys', '3', '--minutes', '0.02', '--ramp-up', '0'];
  const { code, stdout } = await simulateProcess(args, secrets()).ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(/^3 journeys on http/);
  expect(stdout).toMatch(/update \d+ +[\d.]+( +[\d.]+){4} +201 \d+/);
  expect(stdout).toContain('All answers were as they should be.');
});

test('the network is to blame for a service that is gone, as far as it is', async () => {
  // A port that was just free: nobody answers there.
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  const args = ['--url', `http://127.0.0.1:${port}`, '--journeys', '1'];
  const { code, stderr } = await simulateProcess(args, secrets()).ended;
  expect(code).toBe(2);
  expect(stderr).toMatch(/--url .* does not answer: .*ECONNREFUSED/);
});
