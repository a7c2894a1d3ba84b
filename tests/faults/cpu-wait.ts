import { readFileSync } from 'node:fs';

/**
 * Which share of the time processes were ready to run and did not, because others had the processors: what was late
 * then may be the machine's. Linux alone says it (schedstat of the main thread); elsewhere it is NaN.
 */
export class CpuWait {
  readonly #beganAtMs = performance.now();
  readonly #before: Map<number, number>;

  constructor(pids: readonly number[]) {
    this.#before = new Map(pids.map((pid) => [pid, waitedMs(pid)]));
  }

  /** Of the one that waited most, of those that are still there. */
  worst(): number {
    const elapsedMs = performance.now() - this.#beganAtMs;
    const shares = [...this.#before].map(([pid, before]) => (waitedMs(pid) - before) / elapsedMs);
    const known = shares.filter((share) => !Number.isNaN(share));
    return known.length === 0 ? NaN : Math.max(...known);
  }
}

function waitedMs(pid: number): number {
  try {
    const [, waitedNs] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
    return Number(waitedNs) / 1e6;
  } catch {
    return NaN;
  }
}
