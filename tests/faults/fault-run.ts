import { setTimeout as pause } from 'node:timers/promises';
import { Balancer } from './balancer.js';
import { Calls } from './calls.js';
import type { FaultOptions } from './command-line.js';
import { CpuWait } from './cpu-wait.js';
import { EventLog } from './event-log.js';
import type { Fault } from './faults.js';
import { FaultHistory, type FaultRow } from './history.js';
import { Phones } from './phones.js';
import { Processes, type Footprint } from './processes.js';
import type { Stack } from './stack.js';

export interface FaultResults {
  rows: FaultRow[];
  /** Of each process without load: after the first seconds of load, and after the last fault that left it alive. */
  before: Footprint[];
  after: Footprint[];
  /** Of the processes that are up at the end. */
  atTheEnd: Footprint[];
}

const PROCESSES = 2;
const WARM_UP_MS = 5_000;
const QUIET_FOR_MS = 1_200;
const RECOVERS_WITHIN_MS = 15_000;
/** The relay's longest pause, and what it takes to get all out. */
const EVENTS_OUT_WITHIN_MS = 40_000;
/** What a killed process had in its hands is taken over after a minute. */
const LAST_EVENTS_WITHIN_MS = 90_000;
/** V8 collects what is left of a load by itself after some seconds of rest; connections to Postgres end by then, too. */
const REST_MS = 12_000;
const LOOK_EVERY_MS = 20;

/** Journeys go on, and one fault after the other happens. */
export class FaultRun {
  readonly #stack: Stack;
  readonly #options: FaultOptions;
  readonly #say: (line: string) => void;
  readonly #balancer = new Balancer();
  readonly #processes: Processes;
  readonly #histories = [new FaultHistory('no fault', {})];
  readonly #calls: Calls;
  readonly #events: EventLog;
  #dataGeneration = 0;

  constructor(stack: Stack, options: FaultOptions, say: (line: string) => void) {
    this.#stack = stack;
    this.#options = options;
    this.#say = say;
    this.#processes = new Processes(stack, this.#balancer);
    this.#calls = new Calls(this.#balancer, this.#histories[0] as FaultHistory);
    this.#events = new EventLog(stack.bus, () => this.#calls.history.name);
  }

  async run(): Promise<FaultResults> {
    for (let started = 0; started < PROCESSES; started++) await this.#processes.startOne();
    const sessions = await this.#stack.sessions(this.#options.journeys);
    const phones = new Phones(sessions, this.#calls, () => this.#dataGeneration);
    const atRest = async () => {
      await phones.stop();
      await this.#balancer.hangUp();
      await pause(REST_MS);
      return this.#processes.footprints();
    };
    phones.start();
    await this.#alone();
    const before = await atRest();
    // Those that replace the processes come last: what the others leave behind shows in these.
    const [last, first] = [true, false].map((replaces) =>
      this.#options.faults.filter(({ replacesProcesses = false }) => replacesProcesses === replaces),
    );
    phones.start();
    for (const fault of first ?? []) await this.#several(fault);
    const after = await atRest();
    phones.start();
    for (const fault of last ?? []) await this.#several(fault);
    const atTheEnd = await atRest();
    await this.#lastEvents();
    this.#calls.stop();
    await this.#balancer.close();
    const known = new Set(this.#histories.flatMap(({ acknowledged }) => acknowledged));
    return { rows: this.#histories.map((each) => each.row(this.#events, known)), before, after, atTheEnd };
  }

  /** The load by itself, so that it is known what is there without any fault. */
  async #alone(): Promise<void> {
    const { history } = this.#calls;
    const cpuWait = this.#cpuWait();
    history.begin();
    await pause(WARM_UP_MS);
    history.healed(performance.now());
    await this.#untilQuiet(history);
    history.cpuWaits.push(cpuWait.worst());
    history.end();
  }

  async #several(fault: Fault): Promise<void> {
    const history = new FaultHistory(fault.name, fault.excuses ?? {});
    this.#histories.push(history);
    this.#calls.history = history;
    // What is still under way was sent under the fault before, and this one must not be what becomes of it.
    await this.#untilSettled();
    const times = fault.isLong === true ? 1 : this.#options.times;
    for (let time = 1; time <= times; time++) {
      this.#say(`${fault.name}, ${time} of ${times}`);
      const cpuWait = this.#cpuWait();
      history.begin();
      await fault.happen({
        stack: this.#stack,
        processes: this.#processes,
        dataIsLost: () => {
          this.#dataGeneration++;
          for (const each of this.#histories) each.forgetUntold(this.#events);
        },
      });
      const healedAtMs = performance.now();
      history.healed(healedAtMs);
      if (fault.isAboutEvents === true) await this.#untilPublished(history, healedAtMs);
      await this.#untilQuiet(history);
      history.cpuWaits.push(cpuWait.worst());
      history.end();
      history.orphanedLocations += await this.#stack.orphanedLocations();
    }
  }

  #cpuWait(): CpuWait {
    return new CpuWait([process.pid, ...this.#processes.all.map((service) => service.process.pid)]);
  }

  /** Nothing has failed for a while, and it is known what became of all that was sent before. */
  async #untilQuiet(history: FaultHistory): Promise<void> {
    const isQuiet = () => history.quietMs(performance.now()) >= QUIET_FOR_MS;
    await this.#until(RECOVERS_WITHIN_MS, isQuiet);
    await this.#untilSettled();
  }

  /** Each call ends by itself, answered or not. */
  async #untilSettled(): Promise<void> {
    const sentBeforeMs = performance.now();
    await this.#until(Infinity, () => this.#calls.isSettled(sentBeforeMs));
  }

  /** What had been told until now is out; what is told meanwhile may still be on its way. */
  async #untilPublished(history: FaultHistory, healedAtMs: number): Promise<void> {
    const owed = this.#owed();
    await this.#until(EVENTS_OUT_WITHIN_MS, () => owed.every((key) => this.#events.has(key)));
    history.eventsOutMs.push(performance.now() - healedAtMs);
  }

  async #lastEvents(): Promise<void> {
    const areOut = () => this.#owed().every((key) => this.#events.has(key));
    if (areOut()) return;
    this.#say('waiting for events that killed processes had in their hands');
    await this.#until(LAST_EVENTS_WITHIN_MS, areOut);
  }

  #owed(): string[] {
    return this.#histories.flatMap(({ acknowledged }) => acknowledged);
  }

  async #until(withinMs: number, isDone: () => boolean): Promise<void> {
    const giveUpAtMs = performance.now() + withinMs;
    while (!isDone() && performance.now() < giveUpAtMs) await pause(LOOK_EVERY_MS);
  }
}
