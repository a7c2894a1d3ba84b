import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

const SERVICE_CORE = '0';
/** Read before this process leaves one of them. */
export const cores = availableParallelism();

const taskset = (args: string[]) => spawnSync('taskset', args, { stdio: 'ignore' }).status === 0;
/** Whether the service can have a core of its own. */
export const canPin = cores > 1 && taskset(['-c', SERVICE_CORE, 'true']);

/** This process and all that it starts from now on, Redis, Postgres and the load, leave one core to the service. */
export function leaveServiceCore(): void {
  if (canPin) taskset(['-a', '-c', '-p', `1-${cores - 1}`, String(process.pid)]);
}

/** The command on the service's core; the process id stays the same. */
export function onServiceCore(command: readonly string[]): readonly string[] {
  return canPin ? ['taskset', '-c', SERVICE_CORE, ...command] : command;
}
