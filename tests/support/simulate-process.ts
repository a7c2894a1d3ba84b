import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Report } from '../../src/dev/load/report.js';
import { compiledProgram } from './compiled-source.js';

export interface SimulateProcess {
  pid: number;
  kill(signal: NodeJS.Signals): void;
  /** Its standard error so far. */
  progress(): string;
  /** Resolves when the process has ended and its output is complete. */
  ended: Promise<Ended>;
}

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

const projectFolder = join(import.meta.dirname, '../..');
const running = new Set<ChildProcess>();

/** The simulator as a process, with only the given environment variables. */
export function simulateProcess(args: string[], environment: Record<string, string> = {}): SimulateProcess {
  const child = spawn(process.execPath, [compiledProgram('dev/simulate'), ...args], {
    cwd: projectFolder,
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return {
    pid: child.pid ?? 0,
    kill: (signal) => void child.kill(signal),
    progress: () => stderr,
    ended: once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr })),
  };
}

/** Runs it to its end with --json. */
export async function simulate(
  args: string[],
  environment: Record<string, string> = {},
): Promise<{ code: number | null; report: Report; stderr: string }> {
  const { code, stdout, stderr } = await simulateProcess(['--json', ...args], environment).ended;
  try {
    return { code, report: JSON.parse(stdout) as Report, stderr };
  } catch (error) {
    throw new Error(`exit code ${code}, no report: ${stdout}\n${stderr}`, { cause: error });
  }
}

afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});
