import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { LocalEventBus } from '../../src/dev/event-bus/local-event-bus.js';
import { Api } from './api.js';
import { awsEnvironment, testEnvironment } from './running-service.js';
import { until } from './until.js';

export interface ServiceProcess {
  api: Api;
  url: string;
  metricsUrl: string;
  pid: number;
  logLines(): Record<string, unknown>[];
  kill(signal: NodeJS.Signals): void;
  /** Resolves when the process is gone. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

const projectFolder = join(import.meta.dirname, '../..');
const running = new Set<ChildProcess>();

/** The service as a process of its own, for what only a process can show: signals, a kill, an exit code. */
export async function runServiceProcess(
  bus: LocalEventBus,
  settings: Record<string, string> = {},
): Promise<ServiceProcess> {
  const child = spawnMain({ ...testEnvironment(settings), ...awsEnvironment(bus) });
  const lines: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(JSON.parse(line) as Record<string, unknown>);
  });
  const exited = once(child, 'exit').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  const listening = await until(
    'the service process listens',
    () => {
      if (child.exitCode !== null) throw new Error(`exited with ${child.exitCode}`);
      return lines.find((line) => line['msg'] === 'listening');
    },
    30_000,
  );
  const url = `http://127.0.0.1:${String(listening['port'])}`;
  return {
    api: new Api(url),
    url,
    metricsUrl: `http://127.0.0.1:${String(listening['managementPort'])}/metrics`,
    pid: child.pid ?? 0,
    logLines: () => lines,
    kill: (signal) => void child.kill(signal),
    exited,
  };
}

/** Runs the entry with exactly this environment until it exits by itself; for settings that are wrong. */
export async function runMainToItsEnd(
  environment: Record<string, string>,
): Promise<{ code: number | null; stderr: string }> {
  const child = spawnMain(environment);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdout.resume();
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stderr };
}

function spawnMain(environment: Record<string, string>) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts'], {
    cwd: projectFolder,
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});
