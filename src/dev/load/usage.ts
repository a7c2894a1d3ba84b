import pidusage from 'pidusage';

export interface WatchedProcess {
  name: string;
  pid: number;
}

export interface Usage {
  name: string;
  /** Of one core; 1 is all of it. */
  cpuShare: number;
  residentMegabytes: number;
}

/** Starts to measure processes of this machine; the function returned ends that. */
export async function measureUsage(processes: readonly WatchedProcess[]): Promise<() => Promise<Usage[]>> {
  const before = await statsOf(processes);
  const beganMs = performance.now();
  return async () => {
    const after = await statsOf(processes);
    const elapsedMs = performance.now() - beganMs;
    return processes.map(({ name, pid }) => {
      const { ctime: cpuMs = 0, memory = 0 } = after[pid] ?? {};
      const cpuShare = Math.max(0, cpuMs - (before[pid]?.ctime ?? 0)) / elapsedMs;
      return { name, cpuShare, residentMegabytes: Math.round(memory / 2 ** 20) };
    });
  };
}

/** Nothing where one of the processes is gone. */
function statsOf(processes: readonly WatchedProcess[]): Promise<Partial<Record<number, pidusage.Status>>> {
  return pidusage(processes.map(({ pid }) => pid)).catch(() => ({}));
}
