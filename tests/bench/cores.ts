import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

const SERVICE_CORE = 0;

const taskset = (args: string[]) => spawnSync('taskset', args, { stdio: 'ignore' }).status === 0;

/** Whether the service can have a core of its own here. */
export function canPin(): boolean {
  return availableParallelism() > 1 && taskset(['-c', String(SERVICE_CORE), 'true']);
}

/** Leaves the service's core alone from now on, with all that this process starts: Redis, Postgres, the load. */
export function leaveTheServicesCore(): void {
  taskset(['-a', '-c', '-p', `1-${availableParallelism() - 1}`, String(process.pid)]);
}

/** The command on the service's core. The program takes taskset's place, so the process is the same. */
export function onTheServicesCore(command: string[]): string[] {
  return canPin() ? ['taskset', '-c', String(SERVICE_CORE), ...command] : command;
}
