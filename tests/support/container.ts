import { execFileSync, spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { startReaper, type Reaper } from '../../src/dev/servers/reaper.js';

/** A container in the foreground; the client's process has its output. */
export interface Container {
  name: string;
  client: ChildProcessByStdio<null, Readable, Readable>;
  signal: (signal: NodeJS.Signals) => void;
}

let reaper: Reaper | undefined;
const running = new Set<string>();

/**
 * On the host's network, so that 127.0.0.1 is the same inside, and with a read-only file system and without capabilities
 * as in production.
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
      // Not to the client: SIGKILL would end it and not the container.
      spawnSync('docker', ['kill', '--signal', signal, name], { stdio: 'ignore' });
    },
  };
}

/** A name whose container is removed when the tests end. */
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

/** @throws Error with what the client writes to stderr */
export function docker(...args: string[]): string {
  return execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

let isOver = false;
// Runs before the afterAll of a test file, which may still stop containers.
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
