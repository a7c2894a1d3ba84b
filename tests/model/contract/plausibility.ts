import { metersBetween } from './geometry.js';
import { ACCURACY_CAP_METERS, MOST_LATENESS_MS, type Rules } from './rules.js';
import type { Place } from './state.js';

export interface Fix extends Place {
  accuracy?: number | undefined;
  fixMs: number;
}

/** A precise fix that may have been made so much earlier than it says, because its request was delayed. */
export interface Sighting extends Fix {
  lateMs: number;
}

/** What the next precise fix is judged by. */
export interface Belief {
  /** The last accepted precise fix. */
  reference: Sighting | null;
  /** Consecutive plausible fixes up to the reference; 3 confirm it, and it stays so until the trainer re-anchors. */
  agreeing: number;
  /** The last confirmed fix, while the trainer cannot have come from it to the reference. */
  confirmed: Fix | null;
  /** The refused fixes since the last accepted one, the oldest first. */
  refused: readonly Sighting[];
}

export const nobodySeen: Belief = { reference: null, agreeing: 0, confirmed: null, refused: [] };

const CONFIRMING = 3;
/** Of so many refused fixes at most, so many that agree replace the reference. */
const [MOST_REFUSED, AGREEING_REFUSED] = [6, 4];

export type Verdict = 'accepted' | 'reanchored' | 'refused';

/** lateMs: how much later than due the update came. */
export function judge(
  before: Belief,
  fix: Fix,
  lateMs: number,
  rules: Rules,
): { verdict: Verdict; belief: Belief } {
  const { reference, agreeing } = before;
  const sighting = { ...fix, lateMs };
  if (reference === null) {
    return { verdict: 'accepted', belief: { ...nobodySeen, reference: sighting, agreeing: 1 } };
  }
  const spareMs = spare(reference, fix, rules);
  if (spareMs >= 0) {
    const reached = { ...sighting, lateMs: Math.min(lateMs, Math.floor(spareMs)) };
    const counted = Math.min(CONFIRMING, agreeing + 1);
    return { verdict: 'accepted', belief: withReference(before, reached, counted, rules) };
  }
  const refused = [...before.refused, sighting].slice(-MOST_REFUSED);
  if (longestRun(refused, rules) < AGREEING_REFUSED) {
    return {
      verdict: 'refused',
      belief: {
        ...before,
        refused: refused.slice(1 - MOST_REFUSED),
        agreeing: agreeing < CONFIRMING ? 0 : agreeing,
      },
    };
  }
  const confirmed = before.confirmed ?? (agreeing >= CONFIRMING ? reference : null);
  return {
    verdict: 'reanchored',
    belief: withReference({ ...before, confirmed }, sighting, CONFIRMING, rules),
  };
}

/** How long the trainer could have paused at 120 km/h between two fixes, in ms; below zero: implausible. */
export function spare(from: Fix & { lateMs?: number }, to: Fix, rules: Rules): number {
  const allowance = ({ accuracy = 0 }: Fix) => Math.min(accuracy, ACCURACY_CAP_METERS);
  const apart = Math.max(0, metersBetween(from, to) - allowance(from) - allowance(to));
  const elapsedMs = to.fixMs - from.fixMs + (from.lateMs ?? 0);
  // Within the accuracies any time will do.
  return apart === 0 ? Math.max(0, elapsedMs) : elapsedMs - (apart * 3_600) / rules.maxSpeedKmh;
}

/** How many ms late an update is whose predecessor came and asked for an interval then. */
export function lateness(cameAtMs: number | null, intervalMs: number, nowMs: number): number {
  if (cameAtMs === null) return 0;
  return Math.min(MOST_LATENESS_MS, Math.max(0, nowMs - cameAtMs - intervalMs));
}

export function isConfirmed({ agreeing, confirmed }: Belief): boolean {
  return agreeing >= CONFIRMING && confirmed === null;
}

function withReference({ confirmed }: Belief, sighting: Sighting, agreeing: number, rules: Rules): Belief {
  const spareMs = confirmed === null ? 0 : spare(confirmed, sighting, rules);
  if (confirmed === null || spareMs < 0) return { reference: sighting, agreeing, confirmed, refused: [] };
  const reference = { ...sighting, lateMs: Math.min(sighting.lateMs, Math.floor(spareMs)) };
  return { reference, agreeing, confirmed: null, refused: [] };
}

/** The longest run of fixes, each plausible after the one before, that ends with the last. */
function longestRun(fixes: readonly Sighting[], rules: Rules): number {
  const runs: number[] = [];
  for (const [index, fix] of fixes.entries()) {
    const before = runs.filter((_run, earlier) => spare(fixes[earlier] as Sighting, fix, rules) >= 0);
    runs[index] = 1 + Math.max(0, ...before);
  }
  return runs.at(-1) ?? 0;
}
