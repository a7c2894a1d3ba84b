/** What the service and its apps exchange. The service's own schemas are compared with it when its tests are compiled. */

/** Server times are ISO 8601 in UTC with milliseconds. */
type Time = string;

export type EndReason = 'arrived' | 'cancelled' | 'timeout';

export type ErrorCode =
  | 'VALIDATION_FAILED'
  | 'SESSION_NOT_STARTABLE'
  | 'LOCATION_IMPLAUSIBLE'
  | 'LOCATION_MOCKED'
  | 'NOT_AT_DESTINATION'
  | 'LOCATION_UNKNOWN'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'SESSION_NOT_FOUND'
  | 'JOURNEY_NOT_ACTIVE'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'PAYLOAD_TOO_LARGE'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'JOURNEY_ALREADY_ACTIVE'
  | 'LOCATION_STALE'
  | 'JOURNEY_ENDED'
  | 'RATE_LIMITED'
  | 'INTERNAL_ERROR'
  | 'STATE_UNAVAILABLE';

/** An invalid field: its path and what it must be. */
export interface FieldProblem {
  path: string;
  message: string;
}

/** VALIDATION_FAILED: the invalid fields. Other codes: an object, for example with retryAfterMs or distance. */
export type ErrorDetails = FieldProblem[] | Record<string, unknown>;

/** Degrees WGS 84, metres, metres per second, degrees clockwise from north. */
export interface PositionUpdateBody {
  sessionId: string;
  latitude: number;
  longitude: number;
  accuracy?: number | null | undefined;
  speed?: number | null | undefined;
  heading?: number | null | undefined;
  /** Increases within a journey; gaps are allowed. */
  sequence?: number | undefined;
  /** Age of the fix when it was sent, in milliseconds. */
  ageMs?: number | undefined;
  /** The phone reports a mock location. */
  mocked?: boolean | undefined;
}

/** Why a phone has no usable position. */
export type TrainerProblem = 'noFix' | 'permission' | 'reducedAccuracy' | 'lowPower';

/** An update without coordinates. still: the phone has not moved since its last accepted position. */
export type HeartbeatBody = Pick<PositionUpdateBody, 'sessionId' | 'sequence'> &
  ({ still: true } | { problem: TrainerProblem });

export interface JourneyStarted {
  sessionId: string;
  trainerId: string;
  studentId: string;
  startedAt: Time;
  expiresAt: Time;
  /** Milliseconds until the next position should be sent. */
  nextUpdateMs: number;
}

export interface PositionRecorded {
  sessionId: string;
  timestamp: Time;
  /** Seconds for which the position is stored. */
  ttl: number;
  /** Milliseconds until the next position should be sent. */
  nextUpdateMs: number;
}

/** Degrees WGS 84, metres, metres per second, degrees clockwise from north. */
export interface Location {
  latitude: number;
  longitude: number;
  accuracy?: number | undefined;
  speed?: number | undefined;
  heading?: number | undefined;
  timestamp: Time;
  sequence?: number | undefined;
}

export interface LiveJourney {
  sessionId: string;
  /** Null if the session has no trainer. */
  trainerId: string | null;
  isActive: boolean;
  location: Location | null;
  lastUpdate: Time | null;
  startedAt: Time | null;
  expiresAt: Time | null;
  /** Great-circle distance to the student's home in metres. */
  distanceMeters: number | null;
  /** Seconds until the arrival. Null without a reliable estimate. */
  etaSeconds: number | null;
  /** Four of five arrivals are between etaLowSeconds and etaHighSeconds. */
  etaLowSeconds: number | null;
  etaHighSeconds: number | null;
  /** Age of the fix in milliseconds. */
  ageMs: number | null;
  freshness: 'live' | 'delayed' | 'stale' | null;
  /** Accuracy radius in metres, growing with age. Null if the phone reported no accuracy. */
  uncertaintyMeters: number | null;
  /** Seconds for which the trainer had been standing at the last update. Null while moving, or if unknown. */
  stillSeconds?: number | null | undefined;
  /** Null without a problem. */
  trainerProblem?: TrainerProblem | null | undefined;
  /** Milliseconds until the next poll should be sent. */
  nextPollMs: number;
  endedReason?: EndReason | undefined;
  endedAt?: Time | undefined;
}

export interface JourneyArrived {
  sessionId: string;
  arrivedAt: Time;
  /** To the home in metres, rounded. */
  distance: number;
}

export interface JourneyStopped {
  sessionId: string;
  stoppedAt: Time;
}
