import { Counts } from '../../src/dev/load/measurements.js';
import type { EventLog } from './event-log.js';

/** What one kind of fault is forgiven; whatever is not named here has to hold during each of them. */
export interface Excuses {
  /** A process dies with requests in its hands: their connections break. */
  brokenConnections?: true;
  /** A process stands still, and whoever asks it waits. */
  lateAnswers?: true;
  /** Redis comes back empty: journeys from before are gone. */
  lostJourneys?: true;
}

/** A second, by the contract, and what this process itself was late by. */
const ANSWER_WITHIN_MS = 1_000;

/** What happened while one fault was there, and until it was over. */
export class FaultHistory {
  readonly failed = new Counts();
  readonly wrong = new Counts();
  readonly startedJourneys: string[] = [];
  readonly endedJourneys: string[] = [];
  readonly recoveryMs: number[] = [];
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

  /** @param lateMs what the answer took beyond what the service was asked to hold it, less this process' own delay */
  answered(tookMs: number): void {
    this.requests++;
    this.slowestMs = Math.max(this.slowestMs, tookMs);
    if (tookMs > ANSWER_WITHIN_MS && this.excuses.lateAnswers !== true) this.wrong.add('an answer after 1 s');
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

  /** @param events what the bus has received at the end of all */
  row(events: EventLog): FaultRow {
    const keys = [...this.startedJourneys, ...this.endedJourneys];
    return {
      fault: this.name,
      times: this.recoveryMs.length,
      requests: this.requests,
      failed: this.failed.toObject(),
      wrong: this.wrong.toObject(),
      journeysLost: this.journeysLost,
      eventsLost: this.excuses.lostJourneys === true ? 0 : keys.filter((key) => !events.has(key)).length,
      eventsRepeated: keys.reduce((sum, key) => sum + events.repeatsOf(key), 0),
      eventsWithTwoIds: keys.filter((key) => events.idsOf(key) > 1).length,
      orphanedLocations: this.orphanedLocations,
      slowestMs: this.slowestMs,
      recoveryMs: this.recoveryMs,
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
  eventsLost: number;
  eventsRepeated: number;
  eventsWithTwoIds: number;
  orphanedLocations: number;
  slowestMs: number;
  recoveryMs: number[];
}
