import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

const taskset = (args: string[]) => spawnSync('taskset', args, { stdio: 'ignore' }).status === 0;

/** Whether this system has two cores that processes can be kept on. */
export function canPin(): boolean {
  return process.platform === 'linux' && availableParallelism() > 1 && taskset(['-c', '0,1', 'true']);
}

/** The command, kept on one core. The program takes taskset's place, so the process is the same. */
export function pinned(core: number, command: string, args: string[]): { command: string; args: string[] } {
  return { command: 'taskset', args: ['-c', String(core), command, ...args] };
}

/** Keeps this process, with all of its threads, on one core from now on. */
export function pinThisProcess(core: number): void {
  taskset(['-a', '-c', '-p', String(core), String(process.pid)]);
}
