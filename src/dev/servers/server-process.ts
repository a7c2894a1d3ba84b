import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { createServer, Socket, type AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Charge, Reaper } from './reaper.js';

/** A server of this machine that was started for us and goes with us. */
export interface LocalServer {
  url: string;
  /** The server's process; undefined when it runs in a container. */
  pid: number | undefined;
  /** By what it runs, for people: `/usr/bin/redis-server`. */
  means: string;
  /** Resolves when it has ended, by itself or because it was stopped; its last lines. */
  ended: Promise<string>;
  stop(): Promise<void>;
}

export interface LocalServerOptions {
  reaper: Reaper;
  /** Told what takes long or changes the machine: an image pulled, a package installed. */
  say?: (line: string) => void;
}

/** One way to start a server. `start` answers undefined where this machine does not offer that way. */
export interface Means {
  name: string;
  start: () => Promise<LocalServer | undefined>;
}

export interface ServerCommand {
  command: string;
  args: string[];
  /** What the server takes as the request to stop at once. */
  stopSignal: NodeJS.Signals;
  account?: { uid: number; gid: number } | undefined;
  environment?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Written to its standard input. */
  input?: string;
  /** Told of each line that it writes. */
  onLine?: (line: string) => void;
}

export interface ServerProcess {
  pid: number;
  hasEnded: () => boolean;
  /** Resolves when it has ended, by itself or because it was stopped. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** The last lines it wrote. */
  lastOutput: () => string;
  /** From now on it is no reason for its owner's event loop to go on. */
  letTheOwnerEnd: () => void;
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
  const { pid } = child;
  if (pid === undefined) throw new Error(`${server.command} has no pid`);
  const charge: Charge = { kind: 'process', pid, signal: server.stopSignal };
  reaper.watch(charge);
  return {
    pid,
    hasEnded: () => hasEnded(child),
    ended,
    lastOutput,
    letTheOwnerEnd: () => {
      letTheOwnerEnd(child);
    },
    stop: async () => {
      await endChild(child, server.stopSignal);
      reaper.forget(charge);
    },
  };
}

function spawnServer(server: ServerCommand): ChildProcessWithoutNullStreams {
  const child = spawn(server.command, server.args, {
    // A group of its own, so that Ctrl-C in the terminal reaches only the runner, which stops all in order.
    detached: process.platform !== 'win32',
    windowsHide: true,
    stdio: 'pipe',
    env: server.environment ?? process.env,
    ...(server.cwd === undefined ? {} : { cwd: server.cwd }),
    ...server.account,
  });
  // Later than the start, a signal that could not be sent.
  child.on('error', () => undefined);
  // One that ends before it has read all of its input is found out by its end.
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

function letTheOwnerEnd(child: ChildProcess): void {
  child.unref();
  for (const stream of child.stdio) if (stream instanceof Socket) stream.unref();
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function endChild(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return;
  child.ref();
  const ended = once(child, 'exit');
  // A stopped process (SIGSTOP) takes no other signal before it goes on.
  child.kill('SIGCONT');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), stopGraceMs);
  await ended;
  clearTimeout(timer);
}

/** Repeats `attempt` until it does not throw; the server is stopped when it never comes. */
export async function untilReady(server: ServerProcess, attempt: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + readyWithinMs;
  for (;;) {
    if (server.hasEnded()) throw new Error(`it ended at once: ${server.lastOutput()}`);
    try {
      await attempt();
      server.letTheOwnerEnd();
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

/** The first of the means that works; `advice` ends the message when there is none. */
export async function firstThatWorks(what: string, means: Means[], advice: string): Promise<LocalServer> {
  const tried: string[] = [];
  for (const { name, start } of means) {
    try {
      const server = await start();
      if (server) return server;
      tried.push(`${name}: not here`);
    } catch (error) {
      tried.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error([`No ${what} to be had:`, ...tried.map((line) => `  - ${line}`), advice].join('\n'));
}

/** The full path of a program, as the shell would find it. */
export function findProgram(
  name: string,
  folders = (process.env['PATH'] ?? '').split(delimiter),
): string | undefined {
  const file = process.platform === 'win32' ? `${name}.exe` : name;
  return folders
    .filter((folder) => folder !== '')
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

/** Below what Linux gives to connections: one of those may take a port between the look and the listening. */
const OWN_PORTS = { from: 10_000, to: 30_000 };
const given = new Set<number>();

/**
 * A port that is free now: the preferred one, or one that this process has not given to anybody else; where that is taken,
 * one of the system's choice.
 */
export async function freePort(preferred = ownPort()): Promise<number> {
  const port = await bindable(preferred);
  // macOS lets the wildcard address and 127.0.0.1 be bound at once, so both are asked.
  if (port !== undefined && (await bindable(port, '127.0.0.1')) !== undefined) return port;
  const other = await bindable(0);
  if (other === undefined) throw new Error('This system has no free TCP port.');
  return other;
}

function ownPort(): number {
  let port;
  do port = randomInt(OWN_PORTS.from, OWN_PORTS.to);
  while (given.has(port));
  given.add(port);
  return port;
}

function bindable(port: number, host?: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => {
      resolve(undefined);
    });
    probe.listen({ port, host, exclusive: true }, () => {
      const taken = (probe.address() as AddressInfo).port;
      probe.close(() => {
        resolve(taken);
      });
    });
  });
}
