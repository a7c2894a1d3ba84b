/** The numbers of the contract, for a service with these settings. */
export interface Rules {
  journeyTtlMs: number;
  locationTtlMs: number;
  endedTtlMs: number;
  updateIntervalMs: number;
  updateToleranceMs: number;
  maxSpeedKmh: number;
  arrivalRadiusMeters: number;
  coarseAccuracyMeters: number;
  nearbyRadiusMeters: number;
}

export const ordinaryRules: Rules = {
  journeyTtlMs: 3_600_000,
  locationTtlMs: 300_000,
  endedTtlMs: 300_000,
  updateIntervalMs: 5_000,
  updateToleranceMs: 1_000,
  maxSpeedKmh: 120,
  arrivalRadiusMeters: 150,
  coarseAccuracyMeters: 100,
  nearbyRadiusMeters: 500,
};

/** Constants of the contract. */
export const OLDEST_FIX_MS = 300_000;
export const ACCURACY_CAP_METERS = 30;
export const MOST_LATENESS_MS = 15_000;
/** For an arrival a precise fix counts for so long beside a coarse one. */
export const PRECISE_COUNTS_MS = 30_000;
export const LIVE_UP_TO_MS = 15_000;
export const DELAYED_UP_TO_MS = 60_000;
export const STALE_AFTER_MS = 60_000;
export const STALE_REPORTED_ONCE_IN_MS = 60_000;
/** TTLs of cached sessions: without a journey, and that do not exist. */
export const KNOWN_SESSION_MS = 60_000;
export const MISSING_SESSION_MS = 30_000;
/** Beyond journey:active, so that a journey is ended with an event even if no process ran at its limit. */
export const TRACK_OUTLIVES_MS = 86_400_000;
/** The longest nextUpdateMs, unless the ordinary interval is longer. */
export const LONGEST_UPDATE_MS = 15_000;
/** An age in an answer is at most so old when it is received. */
export const ANSWER_WITHIN_MS = 1_000;
export const heartbeats = ['still', 'noFix', 'permission', 'reducedAccuracy', 'lowPower'];
export const startableStatuses = ['scheduled', 'pending_verification'];

/** Of the first answer to a call with an Idempotency-Key: 65 minutes by the OpenAPI document. */
export function idempotencyTtlMs(rules: Rules): number {
  return rules.journeyTtlMs + rules.endedTtlMs;
}
