import { execFileSync, spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { startReaper, type Reaper } from '../../src/dev/servers/reaper.js';

/** A container in the foreground: what it writes is what the client's process writes. */
export interface Container {
  name: string;
  client: ChildProcessByStdio<null, Readable, Readable>;
  signal: (signal: NodeJS.Signals) => void;
}

let reaper: Reaper | undefined;
const running = new Set<string>();

/**
 * With the host's network, so that ports, and the servers and proxies of the tests on 127.0.0.1, are the same ones inside;
 * and as locked up as in production: a root file system that is read only, and no capability.
 */
export function runContainer(image: string, environment: Record<string, string>): Container {
  const name = newName();
  const authorities = environment['NODE_EXTRA_CA_CERTS'] ?? '';
  const client = spawn(
    'docker',
    [
      ...['run', '--rm', '--name', name, '--network', 'host', '--no-healthcheck'],
      ...['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
      ...(authorities === '' ? [] : ['--volume', `${authorities}:${authorities}:ro`]),
      ...Object.keys(environment).flatMap((key) => ['--env', key]),
      image,
    ],
    { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  client.once('exit', () => isGone(name));
  return {
    name,
    client,
    signal: (signal) => {
      // Not by the client: a SIGKILL would end it, and not the container. At once, as a process gets its signals: a stop
      // that overtakes its own end would last for ever. One that is gone already needs none.
      spawnSync('docker', ['kill', '--signal', signal, name], { stdio: 'ignore' });
    },
  };
}

/** A name that goes with the tests, however they end; who uses it says when its container is gone. */
export function newName(): string {
  const name = `admin-service-test-${randomBytes(6).toString('hex')}`;
  reaper ??= startReaper();
  reaper.watch({ kind: 'container', name });
  running.add(name);
  return name;
}

export function isGone(name: string): void {
  reaper?.forget({ kind: 'container', name });
  running.delete(name);
  closeReaper();
}

/** What the client writes; fails with what it complains of. */
export function docker(...args: string[]): string {
  return execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

let isOver = false;
// Before a test file's own afterAll, which stops what is left. Outside of Jest the process' end is the end of it.
if ('afterAll' in globalThis) {
  afterAll(() => {
    isOver = true;
    closeReaper();
  });
}

function closeReaper(): void {
  if (!isOver || running.size > 0) return;
  reaper?.close();
  reaper = undefined;
}
