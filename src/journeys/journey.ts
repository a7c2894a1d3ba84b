import type { EndReason } from '../contract/events.js';
import type { Role } from '../contract/identifiers.js';
import type { Coordinates } from './distance.js';

/** Who calls: from a verified token. Ids are lower case. */
export interface Caller {
  userId: string;
  role: Role;
}

export interface Home extends Coordinates {
  address?: string | undefined;
}

/** A tutoring session as the platform has it. A home that cannot be read counts as none. */
export interface Session {
  sessionId: string;
  trainerId: string | null;
  studentId: string | null;
  status: string;
  home: Home | null;
}

/** Times are milliseconds since the epoch, by Redis' clock. */
export interface Journey {
  sessionId: string;
  trainerId: string;
  studentId: string;
  startedAtMs: number;
  expiresAtMs: number;
  home: Coordinates | null;
}

/** A journey that goes on, as it is at a time by Redis' clock. */
export interface ActiveState {
  journey: Journey;
  location: LiveLocation | null;
  nowMs: number;
}

export interface EndedJourney {
  sessionId: string;
  trainerId: string;
  studentId: string;
  endedAtMs: number;
  reason: EndReason;
}

/** A position as the phone gave it: metres, m/s, degrees clockwise from north. */
export interface Position extends Coordinates {
  accuracy?: number | undefined;
  speed?: number | undefined;
  heading?: number | undefined;
  sequence?: number | undefined;
}

/** The last position taken: when it came and when the phone fixed it. */
export interface LiveLocation extends Position {
  timestampMs: number;
  fixMs: number;
  /** How long after timestampMs the next one was asked for; unknown where another version took this one. */
  nextUpdateMs?: number | undefined;
  /** How long the trainer had stood by then. */
  stillSeconds?: number | undefined;
  approach?: Approach | undefined;
}

/** How the trainer came nearer up to the last exact fix; speeds in m/s. */
export interface Approach {
  /** The last exact fix where that is an older one than the position. */
  reference?: (Coordinates & { fixMs: number }) | undefined;
  /** How fast the straight line home has become shorter, of late. */
  closingSpeed: number;
  /** How fast the trainer has got on in any direction, with the halts. */
  pace: number;
  /** How far that wanders: the variance of the way gone, per second, in m²/s. */
  unsteadiness: number;
  watchedSeconds: number;
}

/** The numbers of the rules; all of them settings. */
export interface JourneyRules {
  journeyTtlSeconds: number;
  locationTtlSeconds: number;
  endedTtlSeconds: number;
  updateIntervalMs: number;
  updateToleranceMs: number;
  maxSpeedKmh: number;
  arrivalRadiusMeters: number;
  coarseAccuracyMeters: number;
  /** Where TrainerNearby is told; below zero: nowhere. */
  nearbyRadiusMeters: number;
}

/** The statuses of a session from which a journey can start. */
export const startableStatuses: readonly string[] = ['scheduled', 'pending_verification'];

/** A fix that is older than this says nothing about where the trainer is. */
export const OLDEST_FIX_MS = 300_000;

/** A student who looks at an older fix makes the platform wake the trainer's phone. */
export const STALE_AFTER_MS = 60_000;

/** The longest interval at which a phone is asked for positions; a longer setting is not shortened. */
export const LONGEST_UPDATE_INTERVAL_MS = 15_000;

/** How much of each position's accuracy counts for it when two are compared. */
export const ACCURACY_CAP_METERS = 30;
