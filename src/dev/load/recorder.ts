import { Counts, Times } from './measurements.js';

/** The report's kinds of calls: a live call is a poll, or a wait where the service was asked to wait for a change. */
export const reportedKinds = ['start', 'update', 'poll', 'wait', 'arrived', 'stop'] as const;
export type ReportedKind = (typeof reportedKinds)[number];

/** How a journey ended; left: it goes on after the run. */
export type JourneyEnd = 'arrived' | 'cancelled' | 'stoppedAtEnd' | 'lost' | 'neverStarted' | 'left';

/** What was measured in one phase of the run. */
export class Phase {
  readonly calls = new Map(
    reportedKinds.map((kind) => [
      kind,
      { statuses: new Counts(), refusals: new Counts(), latency: new Times() },
    ]),
  );
  readonly ageSinceSent = new Times();
  readonly ageSinceFix = new Times();
  readonly eta = { answers: 0, withRange: 0, inside: 0 };
  readonly etaErrors = new Times();

  /** @param actualSeconds until the trainer is at the door, which the simulator knows beforehand */
  compareEta(live: ShownEta, actualSeconds: number): void {
    const { etaSeconds, etaLowSeconds: low, etaHighSeconds: high } = live;
    this.eta.answers += 1;
    if (etaSeconds !== null) this.etaErrors.add(Math.abs(etaSeconds - actualSeconds) * 1_000);
    if (low === null || high === null) return;
    this.eta.withRange += 1;
    // The service rounds to whole seconds.
    if (actualSeconds >= low - 0.5 && actualSeconds <= high + 0.5) this.eta.inside += 1;
  }
}

export interface ShownEta {
  etaSeconds: number | null;
  etaLowSeconds: number | null;
  etaHighSeconds: number | null;
}

export interface Fault {
  what: string;
  count: number;
}

/** What happened in the whole run. */
export class Recorder {
  readonly journeys = { started: 0, active: 0 };
  readonly ends: Record<JourneyEnd, number> = {
    ...{ arrived: 0, cancelled: 0, stoppedAtEnd: 0, lost: 0, neverStarted: 0, left: 0 },
  };
  /** Of all phases, by kind and status: `update 201`. */
  readonly totals = new Counts();
  readonly network = new Counts();
  readonly #onFault: (what: string) => void;
  readonly #faults = new Map<string, number>();
  #phase = new Phase();

  /** @param onFault called with each fault as it happens */
  constructor(onFault: (what: string) => void = () => undefined) {
    this.#onFault = onFault;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Calls that are sent from now on count in another phase. */
  beginPhase(): void {
    this.#phase = new Phase();
  }

  /** @param phase in which the call was sent */
  count(phase: Phase, kind: ReportedKind, status: string, latencyMs: number): void {
    const call = phase.calls.get(kind);
    call?.statuses.add(status);
    call?.latency.add(latencyMs);
    this.totals.add(`${kind} ${status}`);
  }

  /** Something that the contract does not allow, whatever the network does. */
  fault(what: string): void {
    this.#onFault(what);
    this.#faults.set(what, (this.#faults.get(what) ?? 0) + 1);
  }

  /** The most frequent first. */
  get faults(): Fault[] {
    return [...this.#faults]
      .map(([what, count]) => ({ what, count }))
      .sort((one, other) => other.count - one.count);
  }
}
