import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { LocalEventBus } from '../../src/dev/event-bus/local-event-bus.js';
import { Api } from './api.js';
import { compiledProgram } from './compiled-source.js';
import { runContainer } from './container.js';
import { awsEnvironment, testEnvironment } from './service-settings.js';
import { until } from './until.js';

export interface ServiceProcess {
  api: Api;
  url: string;
  metricsUrl: string;
  logLines(): Record<string, unknown>[];
  kill(signal: NodeJS.Signals): void;
  /** Resolves when the process is gone. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** The image under test; undefined: the source. */
export const serviceImage = process.env['TEST_SERVICE_IMAGE'];
/** @throws where the tests of the image run without one */
export function imageUnderTest(): string {
  if (serviceImage === undefined) throw new Error('TEST_SERVICE_IMAGE is not set: run npm run test:docker');
  return serviceImage;
}

/** Skipped where an image is tested. */
export const testOfTheSource = serviceImage === undefined ? test : test.skip;

/** A container's exit code for a process that SIGKILL ended. */
const CODE_OF_SIGKILL = 128 + 9;
const projectFolder = join(import.meta.dirname, '../..');
const running = new Set<ChildProcess>();

/** The service as a process of its own, for tests of signals and exit codes. */
export async function runServiceProcess(
  bus: LocalEventBus,
  settings: Record<string, string> = {},
): Promise<ServiceProcess> {
  const { child, kill } = startMain({ ...testEnvironment(settings), ...awsEnvironment(bus) });
  let wasKilled = false;
  const lines: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    try {
      lines.push(JSON.parse(line) as Record<string, unknown>);
    } catch (error) {
      // A process that is killed may end in the middle of a line.
      if (!wasKilled) throw error;
    }
  });
  const exited = once(child, 'exit').then(([code, signal]) =>
    serviceImage !== undefined && code === CODE_OF_SIGKILL
      ? { code: null, signal: 'SIGKILL' as const }
      : { code: code as number | null, signal: signal as NodeJS.Signals | null },
  );
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
    logLines: () => lines,
    kill: (signal) => {
      wasKilled ||= signal === 'SIGKILL';
      kill(signal);
    },
    exited,
  };
}

/** Runs the entry with exactly this environment until it exits; sends SIGTERM when `stop` resolves. */
export async function runMainToItsEnd(
  environment: Record<string, string>,
  stop?: Promise<unknown>,
): Promise<{ code: number | null; stderr: string }> {
  const { child, kill } = startMain(environment);
  void stop?.then(() => kill('SIGTERM'));
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdout.resume();
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stderr };
}

function startMain(environment: Record<string, string>) {
  if (serviceImage !== undefined) {
    const { client, signal } = runContainer(serviceImage, environment);
    client.stderr.resume();
    return { child: client, kill: signal };
  }
  const child = spawn(process.execPath, [compiledProgram('main')], {
    cwd: projectFolder,
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return { child, kill: (signal: NodeJS.Signals) => void child.kill(signal) };
}

afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});
