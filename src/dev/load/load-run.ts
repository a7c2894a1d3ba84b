import { setTimeout as sleep } from 'node:timers/promises';
import { answerWithinMs, Calls } from './calls.js';
import { ClockOffset } from './clock-offset.js';
import { Connections } from './connections.js';
import { Fleet, type FleetOptions } from './fleet.js';
import { Recorder } from './recorder.js';
import { IdleSessions, type LoadSession } from './sessions.js';
import { TimerWheel } from './timer-wheel.js';
import { UsageMeter, type Usage, type WatchedProcess } from './usage.js';

export interface LoadRunOptions extends FleetOptions {
  minutes: number;
  watch: 'poll' | 'wait';
  leavesJourneys: boolean;
  mostConnections: number;
}

export interface LoadRunDependencies {
  url: URL;
  sessions: readonly LoadSession[];
  /** Measured besides this process. */
  processes: readonly WatchedProcess[];
  /** Told several times a second how far the run is. */
  onProgress: (progress: Progress) => void;
}

export interface Progress {
  phase: 'ramp-up' | 'measuring' | 'stopping';
  /** How much of the phase is done, 0 to 1. */
  share: number;
  leftSeconds: number;
  recorder: Recorder;
  underWay: number;
}

export interface LoadResult {
  recorder: Recorder;
  usage: Usage[];
  clockOffsetMs: number;
  /** Undefined where the run was ended before the steady state began. */
  steadySeconds: number | undefined;
  rampUpSeconds: number;
  endedEarly: boolean;
}

const lookEveryMs = 250;
/** Starts that the ramp-up has left unanswered may take this long, before what is measured begins all the same. */
const settleWithinMs = answerWithinMs;
/** A call may have waited for a connection, then for its answer; undici's timeouts are a second late at the most. */
const drainWithinMs = 2 * answerWithinMs + 2_000;
const stopsPerSecond = 2_000;
const stopBatchMs = 10;

/** A fleet drives for the time that was asked for, and what is measured is written down. */
export class LoadRun {
  readonly #options: LoadRunOptions;
  readonly #with: LoadRunDependencies;
  readonly #recorder = new Recorder();
  readonly #wheel = new TimerWheel(performance.now());
  readonly #meter = new UsageMeter();
  readonly #connections: Connections;
  readonly #calls: Calls;
  readonly #clockOffset: ClockOffset;
  readonly #fleet: Fleet;

  constructor(options: LoadRunOptions, dependencies: LoadRunDependencies) {
    this.#options = options;
    this.#with = dependencies;
    this.#clockOffset = new ClockOffset(dependencies.url.hostname);
    this.#connections = new Connections(dependencies.url.origin, options.mostConnections);
    this.#calls = new Calls(this.#connections, this.#recorder, this.#clockOffset);
    this.#fleet = new Fleet(options, new IdleSessions(dependencies.sessions), {
      wheel: this.#wheel,
      calls: this.#calls,
      recorder: this.#recorder,
      clockOffset: this.#clockOffset,
      watch: options.watch,
    });
  }

  /** @param interrupted ends the run early */
  async run(interrupted: AbortSignal): Promise<LoadResult> {
    const beganMs = performance.now();
    const rampUpMs = this.#options.rampUpSeconds * 1_000;
    this.#measure();
    this.#wheel.run();
    this.#fleet.begin(beganMs);
    await this.#pass('ramp-up', rampUpMs, interrupted);
    const settled = new AbortController();
    const wait = AbortSignal.any([interrupted, settled.signal]);
    await this.#pass('ramp-up', settleWithinMs, wait, () => {
      if (this.#fleet.hasStarted) settled.abort();
    });
    const steadyFromMs = performance.now();
    const isSteady = !interrupted.aborted;
    if (isSteady) {
      this.#recorder.beginSteady(steadyFromMs);
      this.#measure();
      await this.#pass('measuring', this.#options.minutes * 60_000, interrupted);
    }
    const endMs = performance.now();
    this.#recorder.end(endMs);
    this.#wheel.stop();
    const usage = this.#meter.end();
    await this.#end();
    return {
      recorder: this.#recorder,
      usage,
      clockOffsetMs: this.#clockOffset.ms,
      steadySeconds: isSteady ? (endMs - steadyFromMs) / 1_000 : undefined,
      rampUpSeconds: (steadyFromMs - beganMs) / 1_000,
      endedEarly: interrupted.aborted,
    };
  }

  #measure(): void {
    this.#meter.begin([{ name: 'simulator', pid: process.pid }, ...this.#with.processes]);
  }

  /** Lets time pass, and tells of it. */
  async #pass(
    phase: Progress['phase'],
    lastsMs: number,
    ended: AbortSignal,
    look: () => void = () => undefined,
  ): Promise<void> {
    const beganMs = performance.now();
    for (;;) {
      const passedMs = performance.now() - beganMs;
      this.#meter.look();
      this.#tell(phase, passedMs / lastsMs, (lastsMs - passedMs) / 1_000);
      look();
      if (ended.aborted || passedMs >= lastsMs) return;
      await sleep(Math.min(lookEveryMs, lastsMs - passedMs), undefined, { signal: ended }).catch(
        () => undefined,
      );
    }
  }

  #tell(phase: Progress['phase'], share: number, leftSeconds: number): void {
    this.#with.onProgress({
      phase,
      share: Math.min(1, share),
      leftSeconds,
      recorder: this.#recorder,
      underWay: this.#fleet.underWay.size,
    });
  }

  /** Waits for what is under way, then stops the journeys, unless they are to be left. */
  async #end(): Promise<void> {
    await this.#drain();
    if (!this.#options.leavesJourneys) {
      const journeys = [...this.#fleet.underWay];
      const perBatch = (stopsPerSecond * stopBatchMs) / 1_000;
      for (let stopped = 0; stopped < journeys.length; stopped += perBatch) {
        for (const journey of journeys.slice(stopped, stopped + perBatch)) journey.stop(performance.now());
        this.#tell('stopping', stopped / journeys.length, (journeys.length - stopped) / stopsPerSecond);
        await sleep(stopBatchMs);
      }
      await this.#drain();
    }
    await this.#connections.close();
  }

  async #drain(): Promise<void> {
    const deadlineMs = performance.now() + drainWithinMs;
    while (this.#calls.underWay > 0 && performance.now() < deadlineMs) await sleep(stopBatchMs);
  }
}
