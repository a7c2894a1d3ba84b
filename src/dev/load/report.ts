import type { Spread } from './measurements.js';
import type { LoadOptions } from './options.js';
import { type Fault, type JourneyEnd, type ReportedKind } from './recorder.js';
import type { LoadResult } from './run.js';
import type { Usage } from './usage.js';

export interface CallReport {
  kind: ReportedKind;
  count: number;
  perSecond: number;
  byStatus: Record<string, number>;
  refusedByCode: Record<string, number>;
  latencyMs: Spread | null;
}

export interface Report {
  url: string;
  seed: number;
  journeysWanted: number;
  watch: 'poll' | 'wait';
  endedEarly: boolean;
  /** The figures are of the steady state, or of the ramp-up where the run did not get further. */
  measured: { phase: 'steady' | 'ramp-up'; seconds: number };
  calls: CallReport[];
  /** Of the whole run, the ramp-up and the end included. */
  totals: Record<string, number>;
  journeys: { started: number } & Record<JourneyEnd, number>;
  positionAgeMs: { sinceSent: Spread | null; sinceFix: Spread | null };
  eta: { answers: number; withRange: number; inside: number; medianErrorSeconds: number | null };
  usage: Usage[];
  ownDelayMs: LoadResult['ownDelayMs'];
  network: Record<string, number>;
  faults: Fault[];
}

export function makeReport(result: LoadResult, url: URL, options: LoadOptions): Report {
  const { recorder, measured, usage, ownDelayMs, endedEarly } = result;
  const { phase, seconds, isSteady } = measured;
  const { seed, watch, journeys: journeysWanted } = options;
  const etaError = phase.etaErrors.spread();
  // A run without a single answer has measured nothing.
  const noAnswer = recorder.totals.total > 0 ? [] : [{ what: 'no call was answered', count: 1 }];
  return {
    ...{ url: url.origin, seed, journeysWanted, watch, endedEarly, usage, ownDelayMs },
    measured: { phase: isSteady ? 'steady' : 'ramp-up', seconds: rounded(seconds) },
    calls: [...phase.calls]
      .filter(([, { statuses }]) => statuses.total > 0)
      .map(([kind, { statuses, refusals, latency }]) => ({
        ...{ kind, count: statuses.total, perSecond: rounded(statuses.total / seconds) },
        ...{ byStatus: statuses.toObject(), refusedByCode: refusals.toObject() },
        latencyMs: latency.spread() ?? null,
      })),
    totals: recorder.totals.toObject(),
    journeys: { started: recorder.journeys.started, ...recorder.ends },
    positionAgeMs: {
      sinceSent: phase.ageSinceSent.spread() ?? null,
      sinceFix: phase.ageSinceFix.spread() ?? null,
    },
    eta: { ...phase.eta, medianErrorSeconds: etaError ? rounded(etaError.p50 / 1_000) : null },
    network: recorder.network.toObject(),
    faults: [...noAnswer, ...recorder.faults],
  };
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
