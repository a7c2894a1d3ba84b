import type { EndReason } from '../contract/events.js';
import type { Role } from '../contract/identifiers.js';
import type { TrainerProblem } from '../contract/requests.js';
import type { Coordinates } from './distance.js';

/** The caller, from a verified token. Ids are lower case. */
export interface Caller {
  userId: string;
  role: Role;
}

export interface Home extends Coordinates {
  address?: string | undefined;
}

/** A tutoring session of the platform. home: null if there is none or it cannot be read. */
export interface Session {
  sessionId: string;
  trainerId: string | null;
  studentId: string | null;
  status: string;
  home: Home | null;
  /** The platform has a home that cannot be read. */
  isHomeUnreadable?: boolean;
}

/** Times are milliseconds since the epoch by Redis' clock. */
export interface Journey {
  sessionId: string;
  trainerId: string;
  studentId: string;
  startedAtMs: number;
  expiresAtMs: number;
  home: Coordinates | null;
}

/** An active journey at the time nowMs by Redis' clock. */
export interface ActiveState {
  journey: Journey;
  location: LiveLocation | null;
  /** Of the last heartbeat, if no position came after it. */
  problem: TrainerProblem | null;
  nowMs: number;
}

export interface EndedJourney {
  sessionId: string;
  trainerId: string;
  studentId: string;
  endedAtMs: number;
  reason: EndReason;
}

/** A position from the phone: metres, m/s, degrees clockwise from north. */
export interface Position extends Coordinates {
  accuracy?: number | undefined;
  speed?: number | undefined;
  heading?: number | undefined;
  sequence?: number | undefined;
}

/**
 * The last accepted position. timestampMs: when it arrived; fixMs: when the phone determined it. Or, for both, when the
 * phone last reported that it had not moved since.
 */
export interface LiveLocation extends Position {
  timestampMs: number;
  fixMs: number;
  /** How long after timestampMs the next one was asked for; unknown if another version accepted this one. */
  nextUpdateMs?: number | undefined;
  /** How long the trainer had been standing. */
  stillSeconds?: number | undefined;
  approach?: Approach | undefined;
}

/** How the trainer was approaching at the last precise fix; speeds in m/s. */
export interface Approach {
  /** The last precise fix, if it is older than the position. */
  reference?: (Coordinates & { fixMs: number }) | undefined;
  /** How fast the straight-line distance to the home has been shrinking lately. */
  closingSpeed: number;
  /** Mean speed in any direction, stops included. */
  pace: number;
  /** Variance of the distance covered per second, in m²/s. */
  unsteadiness: number;
  watchedSeconds: number;
}

/** The configurable limits. */
export interface JourneyRules {
  journeyTtlSeconds: number;
  locationTtlSeconds: number;
  endedTtlSeconds: number;
  updateIntervalMs: number;
  updateToleranceMs: number;
  maxSpeedKmh: number;
  arrivalRadiusMeters: number;
  coarseAccuracyMeters: number;
  /** Below zero: TrainerNearby is disabled. */
  nearbyRadiusMeters: number;
}

/** Session statuses from which a journey can start. */
export const startableStatuses: readonly string[] = ['scheduled', 'pending_verification'];

/** An older fix is refused. */
export const OLDEST_FIX_MS = 300_000;

/** A student who sees an older fix causes a TrainerLocationStale event. */
export const STALE_AFTER_MS = 60_000;

/** The longest interval at which a phone is asked for positions; a longer setting is not shortened. */
export const LONGEST_UPDATE_INTERVAL_MS = 15_000;

/** An update that is later than this was late on its phone, not only on its way. */
export const MOST_LATENESS_MS = 15_000;

/** How much of each position's accuracy counts for it when two are compared. */
export const ACCURACY_CAP_METERS = 30;
