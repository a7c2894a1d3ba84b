import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK']).toString());

/** Seconds of CPU, user and system, that a process has had, by the operating system's accounting. Linux only. */
export function cpuSeconds(pid: number | undefined): number {
  // A Redis in a container: its process is not to be seen from here.
  if (pid === undefined) return NaN;
  // The name in parentheses may hold spaces; utime and stime are the 12th and 13th field after it.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Mebibytes of memory that a process holds. */
export function residentMebibytes(pid: number): number {
  const kibibytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) / 1024;
}

/** Seconds that a process could have gone on and had to wait, because something else was on its core. */
export function heldOffSeconds(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e9;
  } catch {
    // Not every kernel counts it.
    return NaN;
  }
}
