import { Counts, Times } from './measurements.js';

/** What the report tells apart; a live call is a poll, or a wait where the server held it until there was news. */
export const reportedKinds = ['start', 'update', 'poll', 'wait', 'arrived', 'stop'] as const;
export type ReportedKind = (typeof reportedKinds)[number];

/** What was measured in one part of the run. */
export class Stretch {
  readonly calls = new Map(
    reportedKinds.map((kind) => [kind, { outcomes: new Counts(), latency: new Times() }]),
  );
  readonly refusals = new Map(reportedKinds.map((kind) => [kind, new Counts()]));
  readonly ageFromAcceptance = new Times();
  readonly ageFromFix = new Times();
  /** How late the simulator itself was: the time from when a call was due to when it was on its way. */
  readonly ownDelay = new Times();
  readonly eta: EtaCoverage = { answers: 0, withRange: 0, inside: 0 };
  readonly etaErrors = new Times();

  count(kind: ReportedKind, outcome: string, latencyMs: number | undefined): void {
    const call = this.calls.get(kind);
    call?.outcomes.add(outcome);
    if (latencyMs !== undefined) call?.latency.add(latencyMs);
  }

  /** @param actualSeconds until the trainer is at the door, which the simulator knows beforehand */
  compareEta(live: ShownEta, actualSeconds: number): void {
    const { etaSeconds, etaLowSeconds: low, etaHighSeconds: high } = live;
    this.eta.answers += 1;
    if (typeof etaSeconds === 'number') this.etaErrors.add(Math.abs(etaSeconds - actualSeconds) * 1_000);
    if (typeof low !== 'number' || typeof high !== 'number') return;
    this.eta.withRange += 1;
    // The service says whole seconds.
    if (actualSeconds >= low - 0.5 && actualSeconds <= high + 0.5) this.eta.inside += 1;
  }
}

/** The service's guess; not every version says the range. */
export interface ShownEta {
  etaSeconds: number | null;
  etaLowSeconds?: number | null;
  etaHighSeconds?: number | null;
}

export interface EtaCoverage {
  answers: number;
  withRange: number;
  inside: number;
}

export interface Wrong {
  what: string;
  count: number;
}

const mostKindsOfTrouble = 200;

/** What happened in the whole run: the ramp-up, the steady state, and the end, when journeys are stopped. */
export class Recorder {
  readonly rampUp = new Stretch();
  readonly steady = new Stretch();
  readonly ending = new Stretch();
  readonly journeys = { started: 0, arrived: 0, cancelled: 0, stoppedAtEnd: 0, lost: 0, neverStarted: 0 };
  readonly network = new Counts();
  readonly #wrong = new Map<string, number>();
  #fromMs = Infinity;
  #toMs = Infinity;

  /** What was due from now on counts as steady state. */
  beginSteady(nowMs: number): void {
    this.#fromMs = nowMs;
  }

  end(nowMs: number): void {
    this.#toMs = nowMs;
  }

  /** The part of the run to which a call belongs, by when it was due. */
  stretchAt(dueMs: number): Stretch {
    if (dueMs >= this.#toMs) return this.ending;
    return dueMs >= this.#fromMs ? this.steady : this.rampUp;
  }

  /** Something that must not be, whatever the network does. */
  wrong(what: string): void {
    const kept =
      this.#wrong.has(what) || this.#wrong.size < mostKindsOfTrouble ? what : 'and more of other kinds';
    this.#wrong.set(kept, (this.#wrong.get(kept) ?? 0) + 1);
  }

  get wrongs(): Wrong[] {
    return [...this.#wrong]
      .map(([what, count]) => ({ what, count }))
      .sort((one, other) => other.count - one.count);
  }
}
