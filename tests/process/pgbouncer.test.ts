import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { makeTemporaryFolder, startReaper, type Reaper } from '../../src/dev/servers/reaper.js';
import { answersQuery } from '../../src/dev/servers/local-postgres.js';
import {
  findProgram,
  freePort,
  startServerProcess,
  untilReady,
} from '../../src/dev/servers/server-process.js';
import { aSession, type ASession } from '../support/a-session.js';
import { fiveCalls, timedGet } from '../support/five-calls.js';
import { runService, type RunningService } from '../support/running-service.js';
import { sharedDatabaseUrl } from '../support/shared-services.js';

/** Skipped without PgBouncer, as it is in Debian's package of that name. */
const program = findProgram('pgbouncer');
const describeWithPgBouncer = program === undefined ? describe.skip : describe;

/** In session mode each connection of the service takes one of the pool's; one is left for the test. */
describeWithPgBouncer.each([
  ['session', 5],
  ['transaction', 2],
])('behind PgBouncer in %s mode', (mode, poolSize) => {
  let reaper: Reaper;
  let url: string;
  let service: RunningService;
  const stops: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    reaper = startReaper();
    const bouncer = await startPgBouncer(reaper, { pool_mode: mode, default_pool_size: poolSize });
    stops.unshift(() => bouncer.stop());
    ({ url } = bouncer);
    service = await runService({ settings: { DATABASE_URL: url } });
    stops.unshift(() => service.stop());
  });
  afterAll(async () => {
    for (const stop of stops) await stop();
    reaper.close();
  });

  test('it is ready, and many starts and polls at once are served', async () => {
    expect(await timedGet(`${service.url}/health/ready`)).toMatchObject({
      status: 200,
      body: { data: { status: 'ready', postgres: 'up' } },
    });
    const sessions = await Promise.all(Array.from({ length: 20 }, () => aSession()));
    const statuses = (call: (url: string, session: ASession) => Promise<{ status: number }>) =>
      Promise.all(sessions.map(async (session) => (await call(service.url, session)).status));
    expect(await statuses(fiveCalls.live)).toEqual(sessions.map(() => 200));
    expect(await statuses(fiveCalls.start)).toEqual(sessions.map(() => 201));
  });

  test('the service changes no setting of the sessions that it shares', async () => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query("select name from pg_settings where source = 'session'");
    await client.end();
    expect(rows.map(({ name }: { name: string }) => name).filter((name) => /timeout/.test(name))).toEqual([]);
  });
});

async function startPgBouncer(reaper: Reaper, settings: Record<string, string | number>) {
  const folder = makeTemporaryFolder(reaper, 'pgbouncer', '/tmp');
  const { hostname, port, username, password, pathname } = new URL(sharedDatabaseUrl());
  const ownPort = await freePort();
  const file = join(folder.path, 'pgbouncer.ini');
  const common = { listen_addr: '127.0.0.1', listen_port: ownPort, auth_type: 'any', unix_socket_dir: '' };
  const database = [
    `platform = host=${hostname} port=${port || 5432} dbname=${pathname.slice(1)}`,
    `user=${decodeURIComponent(username)} password=${decodeURIComponent(password)}`,
  ];
  const lines = Object.entries({ ...common, ...settings }).map(([name, value]) => `${name} = ${value}`);
  writeFileSync(file, ['[databases]', database.join(' '), '[pgbouncer]', ...lines, ''].join('\n'));
  // PgBouncer refuses to run as root.
  chmodSync(folder.path, 0o755);
  const account = process.getuid?.() === 0 ? ['--user', 'nobody'] : [];
  const server = await startServerProcess(
    { command: program ?? '', args: [...account, file], stopSignal: 'SIGTERM' },
    reaper,
  );
  const url = `postgres://any:any@127.0.0.1:${ownPort}/platform`;
  await untilReady(server, () => answersQuery(url));
  return {
    url,
    stop: async () => {
      await server.stop();
      await folder.remove();
    },
  };
}
