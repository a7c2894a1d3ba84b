import type { Report } from '../../src/dev/load/report.js';
import { sessionsPool } from '../support/a-session.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { runService, type RunningService } from '../support/running-service.js';
import { sharedDatabaseUrl } from '../support/shared-services.js';
import { simulate, simulateProcess } from '../support/simulate-process.js';
import { SECRET } from '../support/tokens.js';
import { until } from '../support/until.js';

const intervalMs = 500;
// Its own, so that no events of other tests come to this service.
let redis: PrivateRedis;
let service: RunningService;
beforeAll(async () => {
  redis = await startPrivateRedis();
  // On a machine that is busy with other tests, slow answers are no failure.
  const patience = { REDIS_COMMAND_TIMEOUT_MS: '800', POSTGRES_TIMEOUT_MS: '900' };
  const settings = { REDIS_URL: redis.url, UPDATE_INTERVAL_MS: String(intervalMs), LOG_LEVEL: 'warn' };
  service = await runService({ settings: { ...settings, ...patience } });
});
afterAll(async () => {
  await service.stop();
  await redis.stop();
});

const secrets = () => ({ SIMULATE_DATABASE_URL: sharedDatabaseUrl(), SIMULATE_JWT_SECRET: SECRET });
const withUrl = (...args: string[]) => ['--url', service.url, '--seed', '1', '--ramp-up', '0', ...args];
const keysLike = (pattern: string) => redis.client.keys(pattern);

/** Sessions of the journeys that the service has published a start of. */
function startedSessions(): string[] {
  const started = service.bus.received().filter(({ detailType }) => detailType === 'TrainerJourneyStarted');
  return started.map(({ detail }) => String(detail['sessionId']));
}

async function simulatedRows(): Promise<number> {
  const sql = 'select 1 from tutoring_sessions where id = any($1)';
  return (await sessionsPool().query(sql, [startedSessions()])).rowCount ?? -1;
}

describe('a fleet against the real service', () => {
  const journeys = 30;
  let code: number | null;
  let report: Report;
  let stderr: string;
  beforeAll(async () => {
    const args = withUrl('--journeys', String(journeys), '--minutes', '0.07', '--ramp-up', '1');
    ({ code, report, stderr } = await simulate(args, secrets()));
  }, 60_000);

  test('finds no fault', () => {
    expect(report).toMatchObject({ faults: [], network: {}, endedEarly: false });
    expect(code).toBe(0);
  });

  test('each started journey has an end, and each call is counted', () => {
    const { started, arrived, cancelled, stoppedAtEnd, ...others } = report.journeys;
    expect(started).toBeGreaterThanOrEqual(journeys);
    expect(others).toEqual({ lost: 0, neverStarted: 0, left: 0 });
    expect(arrived + cancelled + stoppedAtEnd).toBe(started);
    expect(report.totals).toMatchObject({ 'start 201': started, 'stop 200': cancelled + stoppedAtEnd });
    expect(report.totals['arrived 200'] ?? 0).toBe(arrived);
  });

  test('the steady state lasts as long as asked, at the rate that the service asks for', () => {
    const { phase, seconds } = report.measured;
    expect(phase).toBe('steady');
    expect(Math.abs(seconds - 4.2)).toBeLessThan(2);
    const mostPerSecond = journeys * (1_000 / intervalMs);
    // Some are in tunnels, and the service asks those that stand for fewer.
    const perSecond = report.calls.find(({ kind }) => kind === 'update')?.perSecond;
    expect(perSecond).toBeGreaterThan(0.2 * mostPerSecond);
    expect(perSecond).toBeLessThan(1.02 * mostPerSecond);
  });

  test('latencies and the age of positions are measured', () => {
    for (const { count, latencyMs } of report.calls) {
      expect(latencyMs?.count).toBe(count);
      expect(latencyMs?.p50).toBeGreaterThan(0);
      expect(latencyMs?.max).toBeGreaterThanOrEqual(latencyMs?.p99 ?? Infinity);
    }
    const { sinceSent, sinceFix } = report.positionAgeMs;
    expect(sinceSent?.count).toBeGreaterThan(journeys);
    expect(sinceFix?.p50).toBeGreaterThan(sinceSent?.p50 ?? Infinity);
  });

  test('nothing is left in Postgres and in Redis', async () => {
    await until('all starts are published', () => startedSessions().length >= report.journeys.started);
    expect(await simulatedRows()).toBe(0);
    expect(await keysLike('journey:active:*')).toEqual([]);
    expect(await keysLike('location:trainer:*')).toEqual([]);
  });

  test('progress goes to standard error, in plain lines where that is no terminal', () => {
    expect(stderr).toMatch(/measuring · \d+ journeys active/);
    expect(stderr).not.toContain('\u001b');
  });
});

test('students who wait see positions, and without --json a table is printed', async () => {
  const args = withUrl('--journeys', '10', '--minutes', '0.08', '--watch', 'wait');
  const { code, stdout } = await simulateProcess(args, secrets()).ended;
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^10 journeys on http/) });
  expect(stdout).toMatch(/update \d+ +[\d.]+( +[\d.]+){4} +201 \d+/);
  expect(stdout).toMatch(/^wait \d+ .*200 \d+/m);
  expect(stdout).toMatch(/since they were sent( +[\d.]+){4}/);
  expect(stdout).toContain('All answers were as the contract says.');
});

test.each([
  ['SIGTERM', 'measuring', 'steady', ['--journeys', '10']],
  ['SIGINT', 'ramp-up', 'ramp-up', ['--journeys', '20', '--ramp-up', '600']],
] as const)(
  '%s while %s ends the run with a report of what was measured, and leaves nothing',
  async (signal, phase, measured, args) => {
    const simulator = simulateProcess(withUrl('--minutes', '5', '--json', ...args), secrets());
    await until(`it says ${phase}`, () => simulator.progress().includes(phase), 30_000);
    const isActive = async () => (await keysLike('journey:active:*')).length > 0;
    await until('a journey is active', isActive, 20_000);
    simulator.kill(signal);
    const { code, stdout } = await simulator.ended;
    const report = JSON.parse(stdout) as Report;
    expect(report).toMatchObject({ endedEarly: true, measured: { phase: measured }, faults: [] });
    expect(report.journeys).toMatchObject({ neverStarted: 0, lost: 0 });
    expect(code).toBe(0);
    expect(await keysLike('journey:active:*')).toEqual([]);
    expect(await simulatedRows()).toBe(0);
  },
);
