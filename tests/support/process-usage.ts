import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK']).toString());

export interface ProcessUsage {
  seconds: number;
  /** User and system time. */
  cpuSeconds: number;
  /** Time in which the process was ready to run and its core was busy; NaN where the kernel does not say. */
  stolenSeconds: number;
}

/** CPU time of a process since begin(), from /proc: see proc(5). */
export class ProcessMeter {
  readonly #pid: number | undefined;
  #before: ProcessUsage;

  /** pid: undefined for a process in a container. */
  constructor(pid: number | undefined) {
    this.#pid = pid;
    this.#before = now(pid);
  }

  begin(): void {
    this.#before = now(this.#pid);
  }

  usage(): ProcessUsage {
    const { seconds, cpuSeconds, stolenSeconds } = now(this.#pid);
    return {
      seconds: seconds - this.#before.seconds,
      cpuSeconds: cpuSeconds - this.#before.cpuSeconds,
      stolenSeconds: stolenSeconds - this.#before.stolenSeconds,
    };
  }
}

/** Resident memory in megabytes (10^6 bytes). */
export function residentMegabytes(pid: number): number {
  return (Number(/VmRSS:\s+(\d+)/.exec(read(pid, 'status'))?.[1] ?? NaN) * 1024) / 1e6;
}

function now(pid: number | undefined): ProcessUsage {
  const seconds = performance.now() / 1000;
  if (pid === undefined) return { seconds, cpuSeconds: NaN, stolenSeconds: NaN };
  // The name in parentheses may contain spaces; utime and stime are fields 12 and 13 after it.
  const fields = read(pid, 'stat').split(') ').at(-1)?.split(' ') ?? [];
  const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  return { seconds, cpuSeconds, stolenSeconds: Number(read(pid, 'schedstat').split(' ')[1]) / 1e9 };
}

/** Empty where the file does not exist, such as after the end of the process. */
function read(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
