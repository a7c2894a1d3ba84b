import { setTimeout as pause } from 'node:timers/promises';
import { say } from '../support/stack.js';
import { Balancer } from './balancer.js';
import { Calls } from './calls.js';
import { EventLog } from './event-log.js';
import type { FaultStack } from './fault-stack.js';
import type { Fault } from './faults.js';
import { FaultHistory, type FaultRow } from './history.js';
import { Journeys } from './journeys.js';
import { Processes, type Footprint } from './processes.js';

export interface FaultOptions {
  faults: readonly Fault[];
  times: number;
  journeys: number;
}

export interface FaultResults {
  rows: FaultRow[];
  /** Of each process without load: before the faults, and after those that replace no process. */
  before: Footprint[];
  after: Footprint[];
  /** Of the processes at the end. */
  atTheEnd: Footprint[];
}

const PROCESSES = 2;
const WARM_UP_MS = 5_000;
const QUIET_MS = 1_200;
const RECOVERY_MS = 15_000;
const EVENTS_OUT_MS = 40_000;
/** The pending events of a killed process are claimed by another one after a minute. */
const LAST_EVENTS_MS = 90_000;
/** Idle connections to Postgres are closed by then. */
const REST_MS = 12_000;
const POLL_MS = 20;

/** Brings about one fault after the other while journeys go on. */
export class FaultRun {
  readonly #stack: FaultStack;
  readonly #options: FaultOptions;
  readonly #balancer = new Balancer();
  readonly #processes: Processes;
  readonly #histories = [new FaultHistory('no fault', {})];
  readonly #calls: Calls;
  readonly #events: EventLog;
  #journeys: Journeys[] = [];
  #driving: Promise<unknown> = Promise.resolve();
  #dataGeneration = 0;

  constructor(stack: FaultStack, options: FaultOptions) {
    this.#stack = stack;
    this.#options = options;
    this.#processes = new Processes(stack, this.#balancer);
    this.#calls = new Calls(this.#balancer, this.#histories[0] as FaultHistory);
    this.#events = new EventLog(stack.parts.stack.bus, () => this.#calls.history.name);
  }

  async run(): Promise<FaultResults> {
    for (let started = 0; started < PROCESSES; started++) await this.#processes.startOne();
    const sessions = await this.#stack.sessions(this.#options.journeys, this.#calls);
    this.#journeys = sessions.map(
      (session) => new Journeys(session, this.#calls, () => this.#dataGeneration),
    );
    this.#drive();
    await this.#once(this.#calls.history, async () => {
      await pause(WARM_UP_MS);
      return performance.now();
    });
    const before = await this.#footprintsAtRest();
    // Those that replace processes come last, so that what the others leave behind shows.
    const replacing = this.#options.faults.filter(({ replacesProcesses }) => replacesProcesses === true);
    this.#drive();
    for (const fault of this.#options.faults) if (!replacing.includes(fault)) await this.#repeat(fault);
    const after = await this.#footprintsAtRest();
    this.#drive();
    for (const fault of replacing) await this.#repeat(fault);
    const atTheEnd = await this.#footprintsAtRest();
    await this.#untilPublished(LAST_EVENTS_MS);
    this.#calls.stop();
    await this.#balancer.closeConnections();
    const acknowledged = new Set(this.#acknowledged());
    const rows = this.#histories.map((history) => history.row(this.#events, acknowledged));
    return { rows, before, after, atTheEnd };
  }

  #drive(): void {
    this.#driving = Promise.all(this.#journeys.map((journeys) => journeys.run()));
  }

  /** Ends every journey and every connection. */
  async #footprintsAtRest(): Promise<Footprint[]> {
    for (const journeys of this.#journeys) journeys.stop();
    await this.#driving;
    await this.#balancer.closeConnections();
    await pause(REST_MS);
    return this.#processes.footprints();
  }

  async #repeat(fault: Fault): Promise<void> {
    const history = new FaultHistory(fault.name, fault.excuses ?? {});
    this.#histories.push(history);
    this.#calls.history = history;
    // Calls of the fault before must not meet this one.
    await this.#untilSettled();
    const times = fault.isLong === true ? 1 : this.#options.times;
    for (let time = 1; time <= times; time++) {
      say(`${fault.name}, ${time} of ${times}`);
      await this.#once(history, async () => {
        await fault.happen({
          ...this.#stack.parts,
          processes: this.#processes,
          heal: () => this.#stack.heal(),
          dataIsLost: () => {
            this.#dataGeneration++;
            for (const each of this.#histories) each.forgetUnpublished(this.#events);
          },
        });
        const healedAtMs = performance.now();
        history.healed(healedAtMs);
        if (fault.isAboutEvents === true) {
          await this.#untilPublished(EVENTS_OUT_MS);
          history.eventsOutMs.push(performance.now() - healedAtMs);
        }
        return healedAtMs;
      });
      history.orphanedLocations += await this.#stack.orphanedLocations();
    }
  }

  /** happen returns when the dependency worked again. */
  async #once(history: FaultHistory, happen: () => Promise<number>): Promise<void> {
    history.begin();
    history.healed(await happen());
    await this.#until(RECOVERY_MS, () => history.quietMs(performance.now()) >= QUIET_MS);
    await this.#untilSettled();
    history.end();
  }

  /** Every call ends, with an answer or by the SDK's timeout. */
  async #untilSettled(): Promise<void> {
    const sentBeforeMs = performance.now();
    await this.#until(Infinity, () => this.#calls.isSettled(sentBeforeMs));
  }

  /** Until everything that is acknowledged now is published. */
  async #untilPublished(withinMs: number): Promise<void> {
    const keys = this.#acknowledged();
    await this.#until(withinMs, () => keys.every((key) => this.#events.has(key)));
  }

  #acknowledged(): string[] {
    return this.#histories.flatMap(({ acknowledged }) => acknowledged);
  }

  async #until(withinMs: number, isDone: () => boolean): Promise<void> {
    const giveUpAtMs = performance.now() + withinMs;
    while (!isDone() && performance.now() < giveUpAtMs) await pause(POLL_MS);
  }
}
