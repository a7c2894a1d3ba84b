import type { LoadOptions } from './command-line.js';
import type { LoadResult } from './load-run.js';
import type { Spread } from './measurements.js';
import { reportedKinds, type Recorder, type ReportedKind, type Stretch, type Wrong } from './recorder.js';
import type { Usage } from './usage.js';

export interface CallReport {
  count: number;
  perSecond: number;
  byOutcome: Record<string, number>;
  refusedByCode: Record<string, number>;
  latencyMs: Spread | null;
}

export interface Report {
  url: string;
  seed: number;
  journeysWanted: number;
  watch: 'poll' | 'wait';
  endedEarly: boolean;
  /** Which part of the run the figures are of: the steady state, or what there was of the ramp-up. */
  measured: { phase: 'steady' | 'ramp-up'; seconds: number };
  calls: Partial<Record<ReportedKind, CallReport>>;
  /** Of the whole run, the ramp-up and the end included. */
  callsInAll: Partial<Record<ReportedKind, Record<string, number>>>;
  journeys: LoadResult['recorder']['journeys'] & { leftGoing: number };
  positionAgeMs: { fromAcceptance: Spread | null; fromFix: Spread | null };
  clockOffsetMs: number;
  eta: {
    answers: number;
    withRange: number;
    inside: number;
    coverage: number | null;
    medianErrorSeconds: number | null;
  };
  usage: Usage[];
  ownDelayMs: Spread | null;
  network: Record<string, number>;
  wrong: Wrong[];
}

export function makeReport(result: LoadResult, url: URL, options: LoadOptions): Report {
  const { recorder, steadySeconds, rampUpSeconds } = result;
  const isSteady = steadySeconds !== undefined;
  const stretch = isSteady ? recorder.steady : recorder.rampUp;
  const seconds = steadySeconds ?? rampUpSeconds;
  const { journeys } = recorder;
  const { started, arrived, cancelled, stoppedAtEnd, lost } = journeys;
  const { answers, withRange, inside } = stretch.eta;
  const error = stretch.etaErrors.spread();
  return {
    url: url.origin,
    seed: options.seed,
    journeysWanted: options.journeys,
    watch: options.watch,
    endedEarly: result.endedEarly,
    measured: { phase: isSteady ? 'steady' : 'ramp-up', seconds: rounded(seconds, 10) },
    calls: callReports(stretch, seconds),
    callsInAll: callsInAll([recorder.rampUp, recorder.steady, recorder.ending]),
    journeys: { ...journeys, leftGoing: started - arrived - cancelled - stoppedAtEnd - lost },
    positionAgeMs: {
      fromAcceptance: stretch.ageFromAcceptance.spread() ?? null,
      fromFix: stretch.ageFromFix.spread() ?? null,
    },
    clockOffsetMs: rounded(result.clockOffsetMs, 10),
    eta: {
      answers,
      withRange,
      inside,
      coverage: withRange === 0 ? null : rounded(inside / withRange, 10_000),
      medianErrorSeconds: error ? rounded(error.p50 / 1_000, 10) : null,
    },
    usage: result.usage,
    ownDelayMs: stretch.ownDelay.spread() ?? null,
    network: recorder.network.toObject(),
    wrong: withNothingAnswered(recorder),
  };
}

function callReports(stretch: Stretch, seconds: number): Report['calls'] {
  const reports: Report['calls'] = {};
  for (const kind of reportedKinds) {
    const call = stretch.calls.get(kind);
    const count = call?.outcomes.total ?? 0;
    if (call === undefined || count === 0) continue;
    reports[kind] = {
      count,
      perSecond: rounded(count / seconds, 10),
      byOutcome: call.outcomes.toObject(),
      refusedByCode: stretch.refusals.get(kind)?.toObject() ?? {},
      latencyMs: call.latency.spread() ?? null,
    };
  }
  return reports;
}

function callsInAll(stretches: Stretch[]): Report['callsInAll'] {
  const inAll: Report['callsInAll'] = {};
  for (const kind of reportedKinds) {
    const outcomes: Record<string, number> = {};
    for (const stretch of stretches) {
      for (const [outcome, count] of Object.entries(stretch.calls.get(kind)?.outcomes.toObject() ?? {})) {
        outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
      }
    }
    if (Object.keys(outcomes).length > 0) inAll[kind] = outcomes;
  }
  return inAll;
}

/** A run in which nobody was ever answered has found out nothing. */
function withNothingAnswered({ wrongs, rampUp, steady, ending }: Recorder): Wrong[] {
  const isAnswered = [rampUp, steady, ending].some((stretch) =>
    [...stretch.calls.values()].some(({ latency }) => latency.spread() !== undefined),
  );
  return isAnswered ? wrongs : [{ what: 'not one call was answered', count: 1 }, ...wrongs];
}

function rounded(value: number, parts: number): number {
  return Math.round(value * parts) / parts;
}
