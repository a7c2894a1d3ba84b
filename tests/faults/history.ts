import { Counts } from '../../src/dev/load/measurements.js';
import type { EventLog } from './event-log.js';

/** What one kind of fault is forgiven; whatever is not named here has to hold during each of them. */
export interface Excuses {
  /** A process dies with requests in its hands: their connections break. */
  brokenConnections?: true;
  /** A process stands still for so long, and whoever asks it waits. */
  laterByMs?: number;
  /** Redis comes back empty: what nobody was told of yet may have been told to the bus. */
  lostData?: true;
}

/** By the contract. */
const ANSWER_WITHIN_MS = 1_000;

/** What happened while one fault was there, and until it was over. */
export class FaultHistory {
  readonly failed = new Counts();
  readonly wrong = new Counts();
  /** The events of all starts and ends that were acknowledged. */
  acknowledged: string[] = [];
  readonly recoveryMs: number[] = [];
  /** From the end of the fault until all that was acknowledged by then had been told. */
  readonly eventsOutMs: number[] = [];
  /** Of the processes' time, how much they waited for a processor. */
  readonly cpuWaits: number[] = [];
  requests = 0;
  journeysLost = 0;
  orphanedLocations = 0;
  slowestMs = 0;
  #healedAtMs = Infinity;
  #lastFailureSentAtMs = -Infinity;

  constructor(
    readonly name: string,
    readonly excuses: Excuses,
  ) {}

  begin(): void {
    this.#healedAtMs = Infinity;
    this.#lastFailureSentAtMs = -Infinity;
  }

  /** The dependency is as it should be, from this moment of performance.now() on. */
  healed(atMs: number): void {
    this.#healedAtMs = atMs;
  }

  /** How long nothing has failed that was sent since. */
  quietMs(nowMs: number): number {
    return nowMs - Math.max(this.#healedAtMs, this.#lastFailureSentAtMs);
  }

  end(): void {
    this.recoveryMs.push(Math.max(0, this.#lastFailureSentAtMs - this.#healedAtMs));
  }

  /** tookMs: beyond what the service was asked to hold it, and less what this process was late by meanwhile. */
  answered(tookMs: number): void {
    this.requests++;
    this.slowestMs = Math.max(this.slowestMs, tookMs);
    const limitMs = ANSWER_WITHIN_MS + (this.excuses.laterByMs ?? 0);
    if (tookMs > limitMs) this.wrong.add(`an answer after ${limitMs / 1_000} s`);
  }

  refused(what: string, sentAtMs: number): void {
    this.failed.add(what);
    this.#lastFailureSentAtMs = Math.max(this.#lastFailureSentAtMs, sentAtMs);
  }

  broken(reason: string, sentAtMs: number): void {
    this.requests++;
    this.refused(reason, sentAtMs);
    if (this.excuses.brokenConnections !== true) this.wrong.add(`connection: ${reason}`);
  }

  /** Redis' data is gone, and with it what had not been told. */
  forgetUntold(events: EventLog): void {
    this.acknowledged = this.acknowledged.filter((key) => events.has(key));
  }

  /** events: what the bus has received at the end of all. known: of all histories together. */
  row(events: EventLog, known: ReadonlySet<string>): FaultRow {
    const keys = this.acknowledged;
    return {
      fault: this.name,
      times: this.recoveryMs.length,
      requests: this.requests,
      failed: this.failed.toObject(),
      wrong: this.wrong.toObject(),
      journeysLost: this.journeysLost,
      events: keys.length,
      eventsLost: keys.filter((key) => !events.has(key)).length,
      eventsRepeated: keys.reduce((sum, key) => sum + events.repeatsOf(key), 0),
      eventsWithTwoIds: keys.filter((key) => events.idsOf(key) > 1).length,
      eventsOfNothing: this.excuses.lostData === true ? 0 : events.unknownOf(this.name, known),
      orphanedLocations: this.orphanedLocations,
      slowestMs: this.slowestMs,
      recoveryMs: this.recoveryMs,
      eventsOutMs: this.eventsOutMs,
      cpuWait: Math.max(0, ...this.cpuWaits),
    };
  }
}

export interface FaultRow {
  fault: string;
  times: number;
  requests: number;
  failed: Record<string, number>;
  wrong: Record<string, number>;
  journeysLost: number;
  /** Of acknowledged starts and ends. */
  events: number;
  eventsLost: number;
  eventsRepeated: number;
  eventsWithTwoIds: number;
  eventsOfNothing: number;
  orphanedLocations: number;
  slowestMs: number;
  recoveryMs: number[];
  eventsOutMs: number[];
  cpuWait: number;
}
