import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Socket } from 'node:net';
import type { SessionRange } from '../session-database.js';

/** What the reaper ends or removes when its owner is gone. */
export type Charge =
  | { kind: 'process'; pid: number; signal: NodeJS.Signals }
  | { kind: 'path'; path: string }
  | { kind: 'container'; name: string }
  /** Rows that were put into a database that goes on. */
  | { kind: 'sessions'; databaseUrl: string; range: SessionRange };

/** One line on the pipe from the owner to the reaper. */
export type ReaperMessage = { watch: Charge } | { forget: Charge };

export interface Reaper {
  watch(charge: Charge): void;
  forget(charge: Charge): void;
  /** Closes the pipe: the reaper cleans up what is still in its charge and ends. */
  close(): void;
}

const projectFolder = join(import.meta.dirname, '../../..');

/**
 * Starts a small process that outlives this one and cleans up after it, also after a SIGKILL: it holds the
 * other end of a pipe, and the system closes a pipe however its owner ends.
 */
export function startReaper(): Reaper {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'reaper-main.mjs')], {
    cwd: projectFolder,
    // A session of its own, so that Ctrl-C in the terminal does not reach it.
    detached: true,
    windowsHide: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();

  const send = (message: ReaperMessage) => void child.stdin.write(`${JSON.stringify(message)}\n`);
  return {
    watch: (charge) => {
      send({ watch: charge });
    },
    forget: (charge) => {
      send({ forget: charge });
    },
    close: () => void child.stdin.end(),
  };
}

export interface TemporaryFolder {
  path: string;
  remove(): Promise<void>;
}

/** A private folder that goes with its owner. `parent` is the system's folder for such unless told. */
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
