import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { openPool } from './connections.js';
import { Fleet } from './fleet.js';
import { steadyLoad } from './fleet-styles.js';
import type { LoadOptions } from './options.js';
import { Recorder, type Phase } from './recorder.js';
import type { LoadSession } from './sessions.js';
import { measureUsage, type Usage, type WatchedProcess } from './usage.js';

export interface LoadRunDependencies {
  url: URL;
  sessions: readonly LoadSession[];
  /** Measured besides this process. */
  processes: readonly WatchedProcess[];
  onProgress: (phase: 'ramp-up' | 'measuring' | 'stopping', leftSeconds: number, recorder: Recorder) => void;
}

export interface LoadResult {
  recorder: Recorder;
  /** The steady state, or the ramp-up where the run was ended before. */
  measured: { phase: Phase; seconds: number; isSteady: boolean };
  usage: Usage[];
  /** How late timers of the simulator were: latencies include it. */
  ownDelayMs: { p50: number; p99: number; max: number };
  endedEarly: boolean;
}

const progressEveryMs = 500;
/** Unanswered starts of the ramp-up delay the measuring no longer than this. */
const settleWithinMs = 10_000;
/** A stop that gets no answer is repeated meanwhile. */
const stopWithinMs = 20_000;
const timerMs = 10;

/**
 * A fleet drives for the time that was asked for.
 * @param interrupted ends the run early
 */
export async function runLoad(
  options: LoadOptions,
  { url, sessions, processes, onProgress }: LoadRunDependencies,
  interrupted: AbortSignal,
): Promise<LoadResult> {
  const recorder = new Recorder();
  const pool = openPool(url);
  const parts = { url, pool, recorder, watch: options.watch };
  const fleet = new Fleet({ ...options, style: steadyLoad }, sessions, parts);
  const pass = async (phase: 'ramp-up' | 'measuring', ms: number, isDone: () => boolean = () => false) => {
    const endMs = performance.now() + ms;
    for (;;) {
      const leftMs = Math.max(0, endMs - performance.now());
      onProgress(phase, leftMs / 1_000, recorder);
      if (leftMs === 0 || interrupted.aborted || isDone()) return;
      // Rejects when it is interrupted.
      await sleep(Math.min(progressEveryMs, leftMs), undefined, { signal: interrupted }).catch(
        () => undefined,
      );
    }
  };

  let measurement = await beginMeasurement(processes);
  fleet.start();
  await pass('ramp-up', options.rampUpSeconds * 1_000);
  await pass('ramp-up', settleWithinMs, () => fleet.hasStarted);
  const isSteady = !interrupted.aborted;
  if (isSteady) {
    recorder.beginPhase();
    measurement = await beginMeasurement(processes);
    await pass('measuring', options.minutes * 60_000);
  }
  const { phase } = recorder;
  const endedEarly = interrupted.aborted;
  const { seconds, usage, ownDelayMs } = await measurement.end();
  recorder.beginPhase();
  onProgress('stopping', 0, recorder);
  const late = new AbortController();
  await Promise.race([fleet.stop({ leave: false }), sleep(stopWithinMs, undefined, late)]);
  late.abort();
  await pool.destroy();
  return { recorder, measured: { phase, seconds, isSteady }, usage, ownDelayMs, endedEarly };
}

async function beginMeasurement(processes: readonly WatchedProcess[]) {
  const endUsage = await measureUsage([{ name: 'simulator', pid: process.pid }, ...processes]);
  const delay = monitorEventLoopDelay({ resolution: timerMs });
  delay.enable();
  const beganMs = performance.now();
  const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - timerMs);
  return {
    end: async () => {
      delay.disable();
      const seconds = (performance.now() - beganMs) / 1_000;
      const [p50, p99, max] = [delay.percentile(50), delay.percentile(99), delay.max].map(late);
      return {
        seconds,
        usage: await endUsage(),
        ownDelayMs: { p50: p50 ?? 0, p99: p99 ?? 0, max: max ?? 0 },
      };
    },
  };
}
