import { spawn, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

const SERVICE_CORE = '0';
const BURNERS = 3;
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

/** Takes most of the service's core, so that the load can offer several times what is left. Returns the end. */
export function burnServiceCore(): () => void {
  const burners = Array.from({ length: BURNERS }, () =>
    spawn('taskset', ['-c', SERVICE_CORE, process.execPath, '-e', 'for (;;);'], {
      stdio: 'ignore',
      // In a session of its own each gets as much of the core as the service.
      detached: true,
    }),
  );
  return () => {
    for (const burner of burners) burner.kill('SIGKILL');
  };
}
