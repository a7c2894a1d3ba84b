import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

const SERVICE_CORE = 0;
/** Looked at before this process leaves one of them alone. */
export const cores = availableParallelism();

const taskset = (args: string[]) => spawnSync('taskset', args, { stdio: 'ignore' }).status === 0;
/** Whether the service can have a core of its own here. */
export const canPin = cores > 1 && taskset(['-c', String(SERVICE_CORE), 'true']);

/** Leaves the service's core alone from now on, with all that this process starts: Redis, Postgres, the load. */
export function leaveTheServicesCore(): void {
  if (canPin) taskset(['-a', '-c', '-p', `1-${cores - 1}`, String(process.pid)]);
}

/** The command on the service's core. The program takes taskset's place, so the process is the same. */
export function onTheServicesCore(command: string[]): string[] {
  return canPin ? ['taskset', '-c', String(SERVICE_CORE), ...command] : command;
}
