import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What has to go when the process that started it is gone. */
export type Charge =
  | { kind: 'process'; pid: number; signal: NodeJS.Signals }
  | { kind: 'path'; path: string }
  | { kind: 'container'; name: string };

/** Cleans up after this process, however it ends. */
export interface Reaper {
  watch(charge: Charge): void;
  forget(charge: Charge): void;
  /** Cleans up everything that was not forgotten. */
  close(): void;
}

/** Processes get three seconds to stop; then they are killed, and their folders removed. */
const cleanUps: Record<Charge['kind'], string> = {
  process: 'kill -CONT "$1"; kill -s "$2" "$1"; sleep 3; kill -KILL "$1"',
  path: 'sleep 4; rm -rf -- "$1"',
  container: 'docker rm --force --volumes "$1"',
};

/**
 * Starts a shell per charge that reads from a pipe of this process. The system closes the pipe when this process ends,
 * also after a SIGKILL; then the shell cleans up. Windows has no such shell, so there a killed process leaves its servers.
 */
export function startReaper(): Reaper {
  const shells = new Map<string, ChildProcess>();
  return {
    watch(charge) {
      if (process.platform !== 'win32') shells.set(JSON.stringify(charge), startShell(charge));
    },
    forget(charge) {
      const shell = shells.get(JSON.stringify(charge));
      shells.delete(JSON.stringify(charge));
      shell?.kill('SIGKILL');
    },
    close() {
      for (const shell of shells.values()) shell.stdin?.end();
      shells.clear();
    },
  };
}

function startShell(charge: Charge): ChildProcess {
  const { kind } = charge;
  const args =
    kind === 'process'
      ? [String(charge.pid), charge.signal.slice(3)]
      : [kind === 'path' ? charge.path : charge.name];
  const script = `while read -r line; do :; done; ${cleanUps[kind]}`;
  const shell = spawn('sh', ['-c', script, 'sh', ...args], {
    // A session of its own, so that Ctrl-C in the terminal does not reach it.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  if (shell.stdin instanceof Socket) shell.stdin.unref();
  return shell;
}

export interface TemporaryFolder {
  path: string;
  remove(): Promise<void>;
}

/** A private folder that goes with this process. */
export function makeTemporaryFolder(reaper: Reaper, purpose: string, parent = tmpdir()): TemporaryFolder {
  const path = mkdtempSync(join(parent, `admin-service-${purpose}-`));
  const charge: Charge = { kind: 'path', path };
  reaper.watch(charge);
  return {
    path,
    remove: async () => {
      await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
      reaper.forget(charge);
    },
  };
}
