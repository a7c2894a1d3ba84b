import { randomUUID } from 'node:crypto';
import type { Report } from '../../src/dev/load/report.js';
import { sessionsPool } from '../support/a-session.js';
import { keysLike } from '../support/redis-of-the-run.js';
import { runService, type RunningService } from '../support/running-service.js';
import { sharedDatabaseUrl } from '../support/shared-services.js';
import { simulateProcess, type SimulateProcess } from '../support/simulate-process.js';
import { SECRET, tokenFor } from '../support/tokens.js';
import { until } from '../support/until.js';

let service: RunningService;
/** What other tests of this worker have left. */
let others: Set<string>;
beforeAll(async () => {
  others = new Set(await keysLike('journey:active:*'));
  // A machine that is busy with other tests is no reason for a 503.
  const patience = { REDIS_COMMAND_TIMEOUT_MS: '800', POSTGRES_TIMEOUT_MS: '900' };
  service = await runService({ settings: { UPDATE_INTERVAL_MS: '500', LOG_LEVEL: 'warn', ...patience } });
});
afterAll(() => service.stop());

function start(...args: string[]): SimulateProcess {
  const secrets = { SIMULATE_DATABASE_URL: sharedDatabaseUrl(), SIMULATE_JWT_SECRET: SECRET };
  return simulateProcess(
    ['--url', service.url, '--journeys', '20', '--minutes', '5', '--json', ...args],
    secrets,
  );
}

const activeJourneys = async () => (await sessionIds()).length;

/** Sessions of these journeys that still stand in the database. */
async function rowsOf(ids: string[]): Promise<number> {
  const sql = 'select 1 from tutoring_sessions where id = any($1)';
  return (await sessionsPool().query(sql, [ids])).rowCount ?? -1;
}

async function sessionIds(): Promise<string[]> {
  const keys = await keysLike('journey:active:*');
  return keys.filter((key) => !others.has(key)).map((key) => key.slice('journey:active:'.length));
}

/** All of the fleet is on its way; the ids of its sessions. */
async function untilUnderWay(simulator: SimulateProcess, phase: 'ramp-up' | 'measuring', journeys: number) {
  await until(`the simulator says ${phase}`, () => simulator.progress().includes(`${phase} [`), 30_000);
  await until('the journeys are active', async () => (await activeJourneys()) >= journeys);
  const ids = await sessionIds();
  expect(await rowsOf(ids)).toBe(ids.length);
  return ids;
}

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s ends the run early: what was measured comes out, and nothing stays behind',
  async (signal) => {
    const simulator = start('--ramp-up', '0');
    const ids = await untilUnderWay(simulator, 'measuring', 20);
    simulator.kill(signal);
    const { code, stdout } = await simulator.ended;
    const report = JSON.parse(stdout) as Report;
    expect(report).toMatchObject({ endedEarly: true, measured: { phase: 'steady' }, wrong: [] });
    expect(report.measured.seconds).toBeLessThan(60);
    expect(report.journeys.started).toBeGreaterThanOrEqual(20);
    expect(code).toBe(0);
    expect(await rowsOf(ids)).toBe(0);
    expect(await activeJourneys()).toBe(0);
  },
);

test('Ctrl-C during the ramp-up reports what there was of it', async () => {
  const simulator = start('--ramp-up', '600');
  await untilUnderWay(simulator, 'ramp-up', 1);
  simulator.kill('SIGINT');
  const { code, stdout } = await simulator.ended;
  const report = JSON.parse(stdout) as Report;
  expect(report).toMatchObject({ endedEarly: true, measured: { phase: 'ramp-up' }, wrong: [] });
  expect(report.journeys.started).toBeGreaterThanOrEqual(1);
  expect(report.journeys.neverStarted).toBe(0);
  expect(code).toBe(0);
  expect(await activeJourneys()).toBe(0);
});

test('Ctrl-C again does not wait, and the sessions go all the same', async () => {
  const simulator = start('--ramp-up', '0');
  const ids = await untilUnderWay(simulator, 'measuring', 20);
  simulator.kill('SIGINT');
  await until('it has heard the first one', () => simulator.progress().includes('ending, because of SIGINT'));
  simulator.kill('SIGINT');
  const { code } = await simulator.ended;
  // So few journeys may have been stopped before the second one is heard.
  expect([0, 130]).toContain(code);
  await until('the rows are gone', async () => (await rowsOf(ids)) === 0);
  await stopJourneys();
});

test('killed, it can do nothing any more: its sessions go all the same', async () => {
  const simulator = start('--ramp-up', '0');
  const ids = await untilUnderWay(simulator, 'measuring', 20);
  simulator.kill('SIGKILL');
  expect((await simulator.ended).code).toBeNull();
  await until('the rows are gone', async () => (await rowsOf(ids)) === 0);
  // In Redis they would end by themselves within the hour.
  await stopJourneys();
});

test('the sessions of others stay where they are', async () => {
  const id = randomUUID();
  const sql =
    "insert into tutoring_sessions (id, student_id, trainer_id, status) values ($1, $1, $1, 'scheduled')";
  await sessionsPool().query(sql, [id]);
  const simulator = start('--ramp-up', '0');
  await untilUnderWay(simulator, 'measuring', 20);
  simulator.kill('SIGINT');
  await simulator.ended;
  expect(await rowsOf([id])).toBe(1);
});

/** Those that nobody is left to stop. */
async function stopJourneys(): Promise<void> {
  const admin = await tokenFor(randomUUID(), 'admin');
  const ids = await sessionIds();
  await Promise.all(ids.map((id) => service.api.stop(id, admin)));
}
