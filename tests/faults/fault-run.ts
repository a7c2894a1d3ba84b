import { setTimeout as pause } from 'node:timers/promises';
import { Balancer } from './balancer.js';
import { Calls } from './calls.js';
import type { FaultOptions } from './command-line.js';
import { EventLog } from './event-log.js';
import type { Fault } from './faults.js';
import { FaultHistory, type FaultRow } from './history.js';
import { Journeys } from './journeys.js';
import { Processes, type Footprint } from './processes.js';
import type { Stack } from './stack.js';

export interface FaultResults {
  rows: FaultRow[];
  /** Of each process after the load's first seconds, and after the last fault that left it alive. */
  megabytes: { before: number[]; after: number[] };
  /** Of each process without load: at the beginning, and at the end of those that are up then. */
  openFiles: { before: number[]; after: number[] };
}

const PROCESSES = 2;
const WARM_UP_MS = 3_000;
const QUIET_FOR_MS = 1_200;
const RECOVERS_WITHIN_MS = 15_000;
/** The relay's longest pause, and what it takes to get all out. */
const EVENTS_OUT_WITHIN_MS = 40_000;
/** What a killed process had in its hands is taken over after a minute. */
const LAST_EVENTS_WITHIN_MS = 90_000;
const FILES_CLOSED_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 20;

/** Journeys go on, and one fault after the other happens. */
export class FaultRun {
  readonly #stack: Stack;
  readonly #options: FaultOptions;
  readonly #say: (line: string) => void;
  readonly #balancer = new Balancer();
  readonly #processes: Processes;
  readonly #events: EventLog;
  readonly #histories: FaultHistory[] = [];
  #dataGeneration = 0;

  constructor(stack: Stack, options: FaultOptions, say: (line: string) => void) {
    this.#stack = stack;
    this.#options = options;
    this.#say = say;
    this.#processes = new Processes(stack, this.#balancer);
    this.#events = new EventLog(stack.bus);
  }

  async run(): Promise<FaultResults> {
    for (let started = 0; started < PROCESSES; started++) await this.#processes.startOne();
    const filesBefore = await this.#footprints('openFiles');
    const calls = new Calls(this.#balancer, this.#newHistory('no fault', {}));
    const sessions = await this.#stack.sessions(this.#options.journeys);
    const journeys = sessions.map((session) => new Journeys(session, calls, () => this.#dataGeneration));
    const driving = journeys.map((each) => each.run());
    await this.#alone(calls);
    const before = await this.#footprints('megabytes');
    let after: number[] | undefined;
    for (const fault of this.#options.faults) {
      // From there on they are others than at the beginning.
      if (fault.name.startsWith('one of two processes is')) after ??= await this.#footprints('megabytes');
      await this.#several(fault, calls);
    }
    after ??= await this.#footprints('megabytes');
    for (const each of journeys) each.stop();
    await Promise.all(driving);
    await this.#lastEvents();
    calls.stop();
    await this.#balancer.close();
    const rows = this.#histories.map((history) => history.row(this.#events));
    const filesAfter = await this.#filesWithoutLoad(filesBefore);
    return {
      rows,
      megabytes: { before, after },
      openFiles: { before: filesBefore, after: filesAfter },
    };
  }

  #newHistory(name: string, excuses: Fault['excuses']): FaultHistory {
    const history = new FaultHistory(name, excuses ?? {});
    this.#histories.push(history);
    return history;
  }

  /** The load by itself, so that it is known what is there without any fault. */
  async #alone(calls: Calls): Promise<void> {
    calls.history.begin();
    await pause(WARM_UP_MS);
    calls.forgetOwnDelay();
    calls.history.healed(performance.now());
    await pause(WARM_UP_MS);
    calls.history.end();
  }

  async #several(fault: Fault, calls: Calls): Promise<void> {
    const history = this.#newHistory(fault.name, fault.excuses);
    calls.history = history;
    for (let time = 1; time <= this.#options.times; time++) {
      this.#say(`${fault.name}, ${time} of ${this.#options.times}`);
      calls.forgetOwnDelay();
      history.begin();
      await fault.happen({
        stack: this.#stack,
        processes: this.#processes,
        dataIsLost: () => {
          this.#dataGeneration++;
        },
      });
      history.healed(performance.now());
      if (fault.isAboutEvents === true) await this.#untilPublished();
      const giveUpAtMs = performance.now() + RECOVERS_WITHIN_MS;
      while (history.quietMs(performance.now()) < QUIET_FOR_MS && performance.now() < giveUpAtMs) {
        await pause(LOOK_EVERY_MS);
      }
      history.end();
      history.orphanedLocations += await this.#stack.orphanedLocations();
    }
  }

  /** What had been told until now is out; what is told meanwhile may still be on its way. */
  async #untilPublished(): Promise<void> {
    const owed = this.#owed();
    await this.#until(EVENTS_OUT_WITHIN_MS, () => owed.every((key) => this.#events.has(key)));
  }

  async #lastEvents(): Promise<void> {
    if (this.#owed().every((key) => this.#events.has(key))) return;
    this.#say('waiting for events that killed processes had in their hands');
    await this.#until(LAST_EVENTS_WITHIN_MS, () => this.#owed().every((key) => this.#events.has(key)));
  }

  #owed(): string[] {
    return this.#histories
      .filter(({ excuses }) => excuses.lostJourneys !== true)
      .flatMap(({ startedJourneys, endedJourneys }) => [...startedJourneys, ...endedJourneys]);
  }

  async #until(withinMs: number, isDone: () => boolean): Promise<void> {
    const giveUpAtMs = performance.now() + withinMs;
    while (!isDone() && performance.now() < giveUpAtMs) await pause(5 * LOOK_EVERY_MS);
  }

  async #footprints(of: keyof Footprint): Promise<number[]> {
    return (await this.#processes.footprints()).map((footprint) => footprint[of]);
  }

  /** The phones have gone; connections to Postgres that nobody needs end after some seconds. */
  async #filesWithoutLoad(before: readonly number[]): Promise<number[]> {
    const giveUpAtMs = performance.now() + FILES_CLOSED_WITHIN_MS;
    for (;;) {
      const files = await this.#footprints('openFiles');
      const isAsBefore = files.every((count, index) => count <= (before[index] ?? 0));
      if (isAsBefore || performance.now() > giveUpAtMs) return files;
      await pause(25 * LOOK_EVERY_MS);
    }
  }
}
