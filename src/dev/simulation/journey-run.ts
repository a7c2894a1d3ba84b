import { setTimeout as sleep } from 'node:timers/promises';
import type { Drive } from './drive.js';
import type { CallOutcome, JourneyCalls } from './journey-calls.js';
import type { Random } from './random.js';
import type { SimulatedSession } from './simulated-sessions.js';
import type { Tally } from './tally.js';

export interface JourneyRunDependencies {
  calls: JourneyCalls;
  tally: Tally;
  random: Random;
  signal: AbortSignal;
  /** Told of what should not have happened. */
  complain: (line: string) => void;
}

const retryMs = 2_000;
const longestDelayMs = 800;
/** Nothing but a start can come of these: the journey is over, whoever ended it. */
const endings = new Set(['JOURNEY_ENDED', 'JOURNEY_NOT_ACTIVE']);

/** One journey of one trainer and one student, from start to arrival, or to a stop on the way. */
export class JourneyRun {
  readonly #session: SimulatedSession;
  readonly #drive: Drive;
  readonly #with: JourneyRunDependencies;
  #isOver = false;

  constructor(session: SimulatedSession, drive: Drive, dependencies: JourneyRunDependencies) {
    this.#session = session;
    this.#drive = drive;
    this.#with = dependencies;
  }

  /** @param cancelAfterMs when the trainer gives up; undefined: the trainer arrives */
  async run(cancelAfterMs: number | undefined): Promise<void> {
    const { calls, tally, signal } = this.#with;
    const started = await this.#untilAnswered('start', () =>
      calls.start(this.#session.trainerToken, this.#session.id),
    );
    if (started?.kind !== 'done') return;
    tally.journeysActive += 1;
    const student = this.#watch();
    try {
      await this.#drivePart(
        Math.min(cancelAfterMs ?? Infinity, this.#drive.durationMs),
        started.data.nextUpdateMs,
      );
      if (!this.#isOver) await this.#end(cancelAfterMs !== undefined);
      tally.journeysDone += 1;
    } finally {
      this.#isOver = true;
      tally.journeysActive -= 1;
      if (!signal.aborted) await student;
    }
  }

  /** Sends positions up to a time of the drive, the last one at just that time. */
  async #drivePart(untilMs: number, firstUpdateMs: number): Promise<void> {
    const { calls, tally, random, signal } = this.#with;
    const beganMs = performance.now();
    // How long this phone's receiver takes to tell of a fix.
    const delayMs = Math.round(random() * longestDelayMs);
    let intervalMs = firstUpdateMs;
    let nextMs = Math.min(1_000, firstUpdateMs);
    for (let sequence = 1; !this.#isOver; sequence += 1) {
      await sleep(nextMs, undefined, { signal });
      const elapsedMs = performance.now() - beganMs - delayMs;
      const { fix, ageMs } = this.#drive.latestFixAt(Math.min(elapsedMs, untilMs));
      const isInTunnel = ageMs > 0;
      nextMs = intervalMs;
      if (isInTunnel && this.#drive.tunnel?.phone === 'silent') continue;
      const sentMs = performance.now();
      const position = { ...fix, sequence, ageMs: delayMs + ageMs };
      const outcome = await calls.update(this.#session.trainerToken, this.#session.id, position);
      tally.countUpdate();
      if (outcome.kind === 'done') {
        if (elapsedMs >= untilMs) return;
        intervalMs = outcome.data.nextUpdateMs;
        // A phone's timer is never early, but often a little late.
        nextMs = Math.max(0, intervalMs + random() * 150 - (performance.now() - sentMs));
      } else if (!(isInTunnel && isStale(outcome))) {
        // The fix that a phone repeats is as old as the last one, give or take what the way took: it may be refused.
        nextMs = this.#afterTrouble('update', outcome);
      }
    }
  }

  async #end(isCancelled: boolean): Promise<void> {
    const { calls } = this.#with;
    const { id, trainerToken } = this.#session;
    if (isCancelled) await this.#untilAnswered('stop', () => calls.stop(trainerToken, id));
    else await this.#untilAnswered('arrived', () => calls.arrived(trainerToken, id));
  }

  /** The student's app: polls at the pace that the service asks for, until it hears of the end. */
  async #watch(): Promise<void> {
    const { calls, tally, signal } = this.#with;
    let etag: string | undefined;
    let nextMs = 0;
    let isLast = false;
    while (!signal.aborted) {
      const outcome = await calls.live(this.#session.studentToken, this.#session.id, etag);
      tally.countPoll();
      if (outcome.kind === 'done') {
        if (!outcome.data.isActive || isLast) return;
        etag = outcome.etag;
        nextMs = outcome.data.nextPollMs;
      } else if (outcome.kind !== 'unchanged') {
        nextMs = this.#afterTrouble('live', outcome);
      }
      isLast = this.#isOver;
      await sleep(nextMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Repeats a call for as long as the service or what it needs is away. */
  async #untilAnswered<Data>(
    name: string,
    call: () => Promise<CallOutcome<Data>>,
  ): Promise<CallOutcome<Data> | undefined> {
    while (!this.#isOver) {
      const outcome = await call();
      if (outcome.kind === 'done' || outcome.kind === 'unchanged') return outcome;
      const nextMs = this.#afterTrouble(name, outcome);
      if (outcome.kind === 'refused' && outcome.status < 500 && outcome.status !== 429) return outcome;
      await sleep(nextMs, undefined, { signal: this.#with.signal });
    }
    return undefined;
  }

  /** @returns when to try again, in milliseconds */
  #afterTrouble(name: string, outcome: Exclude<CallOutcome<unknown>, { kind: 'done' }>): number {
    const { tally, complain, signal } = this.#with;
    if (outcome.kind === 'refused' && endings.has(outcome.code)) {
      this.#isOver = true;
    } else if (outcome.kind !== 'unchanged' && !signal.aborted) {
      tally.errors += 1;
      complain(
        `${name}: ${outcome.kind === 'refused' ? `${outcome.status} ${outcome.code}` : outcome.reason}`,
      );
    }
    return (outcome.kind === 'refused' ? outcome.retryAfterMs : undefined) ?? retryMs;
  }
}

function isStale(outcome: CallOutcome<unknown>): boolean {
  return outcome.kind === 'refused' && outcome.code === 'LOCATION_STALE';
}
