import type { EventLog } from './event-log.js';

/** What one kind of fault excuses; everything else is a violation. */
export interface Excuses {
  /** A process dies with requests in flight. */
  brokenConnections?: true;
  /** A process is stopped for so long. */
  laterByMs?: number;
  /** Redis loses its data: an event that was not acknowledged yet may have been published. */
  lostData?: true;
}

/** By the contract. */
const ANSWER_WITHIN_MS = 1_000;

export class Counts {
  readonly all: Record<string, number> = {};

  add(what: string): void {
    this.all[what] = (this.all[what] ?? 0) + 1;
  }
}

/** What happened during one kind of fault and until it was over. */
export class FaultHistory {
  readonly failed = new Counts();
  readonly wrong = new Counts();
  /** The events of all acknowledged starts and ends. */
  acknowledged: string[] = [];
  readonly recoveryMs: number[] = [];
  /** From the end of the fault until all events acknowledged by then were published. */
  readonly eventsOutMs: number[] = [];
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

  /** The dependency works again since this moment of performance.now(). */
  healed(atMs: number): void {
    this.#healedAtMs = atMs;
  }

  /** For how long every request that was sent has succeeded. */
  quietMs(nowMs: number): number {
    return nowMs - Math.max(this.#healedAtMs, this.#lastFailureSentAtMs);
  }

  end(): void {
    this.recoveryMs.push(Math.max(0, this.#lastFailureSentAtMs - this.#healedAtMs));
  }

  /** tookMs: without the requested wait and the lag of this process. */
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

  /** Redis' data is lost, and with it the events that were not published. */
  forgetUnpublished(events: EventLog): void {
    this.acknowledged = this.acknowledged.filter((key) => events.has(key));
  }

  /** events: at the end of the run. acknowledged: of all histories. */
  row(events: EventLog, acknowledged: ReadonlySet<string>) {
    const keys = this.acknowledged;
    return {
      fault: this.name,
      times: this.recoveryMs.length,
      requests: this.requests,
      failed: { ...this.failed.all },
      wrong: { ...this.wrong.all },
      journeysLost: this.journeysLost,
      /** Of acknowledged starts and ends. */
      events: keys.length,
      eventsLost: keys.filter((key) => !events.has(key)).length,
      eventsRepeated: keys.reduce((sum, key) => sum + events.repeatsOf(key), 0),
      eventsWithTwoIds: keys.filter((key) => events.idsOf(key) > 1).length,
      eventsUnknown: this.excuses.lostData === true ? 0 : events.unknownOf(this.name, acknowledged),
      orphanedLocations: this.orphanedLocations,
      slowestMs: this.slowestMs,
      recoveryMs: this.recoveryMs,
      eventsOutMs: this.eventsOutMs,
    };
  }
}

export type FaultRow = ReturnType<FaultHistory['row']>;
