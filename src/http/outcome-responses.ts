import type { PositionUpdate } from '../contract/requests.js';
import type { JourneyRules } from '../journeys/journey.js';
import { isoTime } from '../live/live-view.js';
import type {
  ArriveOutcome,
  Ended,
  LiveOutcome,
  RateLimited,
  RecordOutcome,
  StartOutcome,
  StopOutcome,
} from '../journeys/outcomes.js';
import { ApiError, success, type Answer, type Headers } from './responses.js';

/** Positions are wanted as often as the limit allows; see UPDATE_INTERVAL_MS. */
export type AnswerRules = Pick<
  JourneyRules,
  'updateIntervalMs' | 'locationTtlSeconds' | 'maxSpeedKmh' | 'arrivalRadiusMeters'
>;

export function startAnswer(outcome: StartOutcome, sessionId: string, rules: AnswerRules): Answer {
  switch (outcome.kind) {
    case 'started': {
      const { trainerId, studentId, startedAtMs, expiresAtMs, replayed } = outcome;
      const times = { startedAt: isoTime(startedAtMs), expiresAt: isoTime(expiresAtMs) };
      return success(
        201,
        { sessionId, trainerId, studentId, ...times, nextUpdateMs: rules.updateIntervalMs },
        replayHeaders(replayed),
      );
    }
    case 'sessionNotFound':
      return sessionNotFound();
    case 'notStartable':
      return new ApiError(
        'SESSION_NOT_STARTABLE',
        'A journey starts from a scheduled or pending_verification session with a student.',
        {
          status: outcome.status,
        },
      );
    case 'alreadyActive':
      return new ApiError('JOURNEY_ALREADY_ACTIVE', 'The journey of this session is already active.', {
        startedAt: isoTime(outcome.startedAtMs),
        expiresAt: isoTime(outcome.expiresAtMs),
      });
    case 'rateLimited':
      return rateLimited(
        outcome,
        'Too many starts, or of sessions that do not exist; try again after the pause.',
      );
    case 'forbidden':
      return notYours();
  }
}

export function recordAnswer(outcome: RecordOutcome, update: PositionUpdate, rules: AnswerRules): Answer {
  switch (outcome.kind) {
    case 'recorded':
    case 'duplicate':
      return success(201, {
        sessionId: update.sessionId,
        timestamp: isoTime(outcome.timestampMs),
        ttl: rules.locationTtlSeconds,
        nextUpdateMs: outcome.nextUpdateMs,
      });
    case 'stale':
      return new ApiError(
        'LOCATION_STALE',
        'A newer position has been taken, or this one is too old; send the next one.',
        {
          lastSequence: outcome.lastSequence,
        },
      );
    case 'rateLimited':
      return rateLimited(outcome, 'Too many updates; send the newest position after the pause.');
    case 'implausible':
      return new ApiError(
        'LOCATION_IMPLAUSIBLE',
        `The position is further from the last one than ${rules.maxSpeedKmh} km/h allows.`,
        {
          maxSpeedKmh: rules.maxSpeedKmh,
        },
      );
    case 'mocked':
      return new ApiError('LOCATION_MOCKED', 'Simulated positions are not taken; turn mock locations off.');
    case 'forbidden':
      return notYours();
    case 'notActive':
      return notActive();
    case 'ended':
      return ended(outcome);
    case 'endedForOthers':
      return ended(null);
  }
}

/** Answers 304 where the caller has this state already. waitSeconds: what the caller was granted, or null. */
export function liveAnswer(
  outcome: LiveOutcome,
  ifNoneMatch: string | undefined,
  waitSeconds: number | null,
): Answer {
  switch (outcome.kind) {
    case 'live': {
      const headers: Headers = { ETag: etagOf(outcome.version), 'Cache-Control': 'private, no-cache' };
      if (outcome.waited && waitSeconds !== null) headers['Preference-Applied'] = `wait=${waitSeconds}`;
      if (!isKnown(ifNoneMatch, outcome.version)) return success(200, outcome.show(), headers);
      headers['Next-Poll-Ms'] = String(outcome.nextPollMs);
      return { kind: 'notModified', headers };
    }
    case 'sessionNotFound':
      return sessionNotFound();
    case 'rateLimited':
      return rateLimited(
        outcome,
        'Too many questions for sessions that do not exist; try again after the pause.',
      );
    case 'forbidden':
      return notYours();
  }
}

export function arriveAnswer(outcome: ArriveOutcome, sessionId: string, rules: AnswerRules): Answer {
  switch (outcome.kind) {
    case 'arrived': {
      const { arrivedAtMs, distanceMeters, replayed } = outcome;
      return success(
        200,
        { sessionId, arrivedAt: isoTime(arrivedAtMs), distance: distanceMeters },
        replayHeaders(replayed),
      );
    }
    case 'tooFar':
      return new ApiError('NOT_AT_DESTINATION', "The last position is too far from the student's home.", {
        distance: outcome.distanceMeters,
        maxDistance: rules.arrivalRadiusMeters,
      });
    case 'locationUnknown':
      return new ApiError(
        'LOCATION_UNKNOWN',
        outcome.because === 'noHome'
          ? 'The session has no usable home location, so an arrival cannot be checked; stop the journey instead.'
          : 'There is no position of the last minutes that is precise enough; send one and try again.',
      );
    case 'forbidden':
      return notYours();
    case 'notActive':
      return notActive();
    case 'ended':
      return ended(outcome);
    case 'endedForOthers':
      return ended(null);
  }
}

export function stopAnswer(outcome: StopOutcome, sessionId: string): Answer {
  switch (outcome.kind) {
    case 'stopped':
      return success(
        200,
        { sessionId, stoppedAt: isoTime(outcome.stoppedAtMs) },
        replayHeaders(outcome.replayed),
      );
    case 'forbidden':
      return notYours();
    case 'notActive':
      return notActive();
    case 'ended':
      return ended(outcome);
    case 'endedForOthers':
      return ended(null);
  }
}

function etagOf(version: string): string {
  return `W/"${version}"`;
}

/** Whether If-None-Match names this version. Weak comparison, RFC 9110, 8.8.3.2 and 13.1.2. */
export function isKnown(ifNoneMatch: string | undefined, version: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const etag = etagOf(version);
  if (ifNoneMatch === etag) return true;
  const opaque = etag.slice(2);
  return ifNoneMatch.split(',').some((tag) => {
    const candidate = tag.trim();
    return candidate === '*' || candidate === etag || candidate === opaque;
  });
}

function replayHeaders(replayed: boolean): Headers | undefined {
  return replayed ? { 'Idempotency-Replayed': 'true' } : undefined;
}

function rateLimited({ retryAfterMs }: RateLimited, message: string): ApiError {
  const headers = { 'Retry-After': String(Math.ceil(retryAfterMs / 1000)) };
  return new ApiError('RATE_LIMITED', message, { retryAfterMs }, headers);
}

function notYours(): ApiError {
  return new ApiError('FORBIDDEN', "The session or its journey is somebody else's.");
}

function sessionNotFound(): ApiError {
  return new ApiError('SESSION_NOT_FOUND', 'There is no such session.');
}

function notActive(): ApiError {
  return new ApiError('JOURNEY_NOT_ACTIVE', 'The session has no active journey; start one first.');
}

/** end: null where it is not told how and when. */
function ended(end: Ended | null): ApiError {
  return new ApiError(
    'JOURNEY_ENDED',
    'The journey has ended; stop sending.',
    end === null ? undefined : { reason: end.reason, endedAt: isoTime(end.endedAtMs) },
  );
}
