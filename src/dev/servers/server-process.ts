import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { Socket } from 'node:net';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import getPort, { portNumbers } from 'get-port';
import type { Charge, Reaper } from './reaper.js';

/** A throw-away server on this machine. */
export interface LocalServer {
  url: string;
  /** Undefined when it runs in a container. */
  pid: number | undefined;
  /** How it runs, for people: `/usr/bin/redis-server`. */
  means: string;
  /** Resolves with its last lines of output when it has ended. */
  ended: Promise<string>;
  stop(): Promise<void>;
}

export interface LocalServerOptions {
  reaper: Reaper;
  /** Called with what takes long or changes the machine: an image pulled, a package installed. */
  say?: (line: string) => void;
}

export interface ServerCommand {
  command: string;
  args: string[];
  /** Makes the server stop at once. */
  stopSignal: NodeJS.Signals;
  account?: { uid: number; gid: number } | undefined;
  environment?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Written to its standard input. */
  input?: string;
  onLine?: (line: string) => void;
}

export interface ServerProcess {
  pid: number;
  hasEnded: () => boolean;
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  lastOutput: () => string;
  /** From now on the process does not keep its owner's event loop alive. */
  unref: () => void;
  stop(): Promise<void>;
}

const keptOutput = 4_000;
const stopGraceMs = 5_000;
const readyWithinMs = 30_000;

export async function startServerProcess(server: ServerCommand, reaper: Reaper): Promise<ServerProcess> {
  const child = spawnServer(server);
  const lastOutput = keepLastOutput(child, server.onLine);
  const ended: ServerProcess['ended'] = new Promise((resolve) => {
    child.once('close', (code, signal) => {
      resolve({ code, signal });
    });
  });
  // Rejects where the program could not be started.
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  const charge: Charge = { kind: 'process', pid, signal: server.stopSignal };
  reaper.watch(charge);
  // A later process may get the same id.
  child.once('exit', () => {
    reaper.forget(charge);
  });
  return {
    pid,
    hasEnded: () => hasEnded(child),
    ended,
    lastOutput,
    unref: () => {
      child.unref();
      for (const stream of child.stdio) if (stream instanceof Socket) stream.unref();
    },
    stop: () => endChild(child, server.stopSignal),
  };
}

function spawnServer(server: ServerCommand): ChildProcessWithoutNullStreams {
  const child = spawn(server.command, server.args, {
    // A group of its own, so that Ctrl-C in the terminal reaches only its owner, which stops everything in order.
    detached: process.platform !== 'win32',
    windowsHide: true,
    stdio: 'pipe',
    env: server.environment ?? process.env,
    ...(server.cwd === undefined ? {} : { cwd: server.cwd }),
    ...server.account,
  });
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  child.stdin.end(server.input);
  return child;
}

function keepLastOutput(
  child: ChildProcessWithoutNullStreams,
  onLine: ServerCommand['onLine'],
): () => string {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-keptOutput);
    });
    if (onLine) createInterface({ input: stream }).on('line', onLine);
  }
  return () => output.trim();
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function endChild(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return;
  child.ref();
  const ended = once(child, 'exit');
  // A suspended process handles no other signal before it continues.
  child.kill('SIGCONT');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), stopGraceMs);
  await ended;
  clearTimeout(timer);
}

/**
 * Repeats `attempt` until it succeeds.
 * @throws Error when the server ends or does not answer within 30 s; it is stopped then
 */
export async function untilReady(server: ServerProcess, attempt: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + readyWithinMs;
  for (;;) {
    if (server.hasEnded()) throw new Error(`the process ended: ${server.lastOutput()}`);
    try {
      await attempt();
      server.unref();
      return;
    } catch (error) {
      if (Date.now() > deadline) {
        await server.stop();
        throw new Error(`no answer within ${readyWithinMs / 1000} s: ${server.lastOutput()}`, {
          cause: error,
        });
      }
      await sleep(25);
    }
  }
}

/** The full path of a program, as the shell would find it. */
export function findProgram(name: string): string | undefined {
  const file = process.platform === 'win32' ? `${name}.exe` : name;
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders
    .map((folder) => join(folder, file))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Below the range that Linux takes ports of outgoing connections from. */
const serverPorts = { from: 10_000, to: 30_000 };

/** The preferred port where it is free (0: none is preferred), else a random one. */
export function freePort(preferred = 0): Promise<number> {
  const { from, to } = serverPorts;
  return getPort({ port: preferred === 0 ? portNumbers(randomInt(from, to), to) : preferred });
}
