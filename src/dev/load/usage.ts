import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface WatchedProcess {
  name: string;
  pid: number;
}

export interface Usage {
  name: string;
  cpuSeconds: number;
  /** Of one core; 1 is all of it. */
  cpuShare: number;
  /** The most that was seen. */
  residentMegabytes: number;
}

/** What processes of this machine take of it, by the operating system's accounting. On Linux alone. */
export class UsageMeter {
  readonly #processes: { process: WatchedProcess; beganWithSeconds: number; residentMegabytes: number }[] =
    [];
  #beganMs = performance.now();

  /** Measures from now on. */
  begin(processes: readonly WatchedProcess[]): void {
    this.#processes.length = 0;
    if (process.platform !== 'linux') return;
    for (const watched of processes) {
      this.#processes.push({
        process: watched,
        beganWithSeconds: cpuSeconds(watched.pid),
        residentMegabytes: 0,
      });
    }
    this.#beganMs = performance.now();
    this.look();
  }

  look(): void {
    for (const each of this.#processes) {
      each.residentMegabytes = Math.max(each.residentMegabytes, residentMegabytes(each.process.pid));
    }
  }

  end(): Usage[] {
    this.look();
    const seconds = (performance.now() - this.#beganMs) / 1_000;
    return this.#processes.map(({ process: { name, pid }, beganWithSeconds, residentMegabytes }) => {
      const used = Math.max(0, cpuSeconds(pid) - beganWithSeconds);
      return { name, cpuSeconds: used, cpuShare: used / seconds, residentMegabytes };
    });
  }
}

let ticksPerSecond: number | undefined;

/** Seconds of CPU that a process has had, user and system; 0 for one that is gone. */
function cpuSeconds(pid: number): number {
  ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK']).toString());
  // The name in parentheses may hold spaces; utime and stime are the 12th and 13th field after it.
  const fields = readProc(pid, 'stat').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / ticksPerSecond;
}

function residentMegabytes(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readProc(pid, 'status'))?.[1];
  return Math.round(Number(kilobytes ?? 0) / 1_024);
}

function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
