import { INVALID_CURSOR } from '../contract/fleet.js';
import type { JourneyStarted } from '../contract/responses.js';
import type { JourneyRules } from '../journeys/journey.js';
import { isoTime } from '../journeys/iso-time.js';
import type {
  ArriveOutcome,
  Ended,
  LocationUnknown,
  RateLimited,
  RecordOutcome,
  StartOutcome,
  StopOutcome,
} from '../journeys/outcomes.js';
import type { DiagnosisOutcome, FleetPageOutcome } from '../live/fleet-service.js';
import type { LiveOutcome } from '../live/live-state.js';
import { ApiError, success, type ApiResponse, type Headers } from './responses.js';

export type ResponseRules = Pick<
  JourneyRules,
  'updateIntervalMs' | 'locationTtlSeconds' | 'maxSpeedKmh' | 'arrivalRadiusMeters'
>;

export function startResponse(outcome: StartOutcome, sessionId: string, rules: ResponseRules): ApiResponse {
  switch (outcome.kind) {
    case 'started': {
      const { trainerId, studentId, startedAtMs, expiresAtMs, replayed } = outcome;
      const times = { startedAt: isoTime(startedAtMs), expiresAt: isoTime(expiresAtMs) };
      const started: JourneyStarted = {
        ...{ sessionId, trainerId, studentId, ...times, nextUpdateMs: rules.updateIntervalMs },
        ...(outcome.isHomeUnreadable === true && { warnings: ['HOME_LOCATION_UNREADABLE'] }),
      };
      return success(201, started, replayHeaders(replayed));
    }
    case 'sessionNotFound':
      return sessionNotFound();
    case 'notStartable':
      return new ApiError(
        'SESSION_NOT_STARTABLE',
        'The session must be scheduled or pending_verification and have a student.',
        {
          status: outcome.status,
        },
      );
    case 'alreadyActive':
      return new ApiError('JOURNEY_ALREADY_ACTIVE', 'The journey is already active.', {
        startedAt: isoTime(outcome.startedAtMs),
        expiresAt: isoTime(outcome.expiresAtMs),
        lastSequence: outcome.lastSequence,
      });
    case 'rateLimited':
      return rateLimited(outcome, 'Too many starts. Retry after the pause.');
    case 'forbidden':
      return forbidden();
  }
}

export function recordResponse(outcome: RecordOutcome, sessionId: string, rules: ResponseRules): ApiResponse {
  switch (outcome.kind) {
    case 'recorded':
    case 'reanchored':
    case 'heartbeat':
    case 'duplicate':
      return success(201, {
        sessionId,
        timestamp: isoTime(outcome.timestampMs),
        ttl: rules.locationTtlSeconds,
        nextUpdateMs: outcome.nextUpdateMs,
      });
    case 'stale':
      return new ApiError(
        'LOCATION_STALE',
        'The position is older than the last accepted one, or too old. Send the next one.',
        {
          lastSequence: outcome.lastSequence,
        },
      );
    case 'rateLimited':
      return rateLimited(
        outcome,
        'Too many updates of this trainer, over all sessions. Send the newest position after the pause.',
      );
    case 'implausible':
      return new ApiError(
        'LOCATION_IMPLAUSIBLE',
        `The position implies a speed over ${rules.maxSpeedKmh} km/h.`,
        {
          maxSpeedKmh: rules.maxSpeedKmh,
        },
      );
    case 'mocked':
      return new ApiError('LOCATION_MOCKED', 'Mock locations are not accepted. Turn them off.');
    case 'locationUnknown':
      return locationUnknown(outcome);
    case 'forbidden':
      return forbidden();
    case 'notActive':
      return notActive();
    case 'ended':
      return ended(outcome);
    case 'endedForOthers':
      return ended(null);
  }
}

/** 304 if the caller has this version already. waitSeconds: the wait that the caller asked for, or null. */
export function liveResponse(
  outcome: LiveOutcome,
  ifNoneMatch: string | undefined,
  waitSeconds: number | null,
): ApiResponse {
  switch (outcome.kind) {
    case 'live': {
      const headers: Headers = { ETag: etagOf(outcome.version), 'Cache-Control': 'private, no-store' };
      if (outcome.waited && waitSeconds !== null) headers['Preference-Applied'] = `wait=${waitSeconds}`;
      if (!matches(ifNoneMatch, outcome.version)) return success(200, outcome.view(), headers);
      headers['Next-Poll-Ms'] = String(outcome.nextPollMs);
      if (outcome.ageMs !== null) headers['Location-Age-Ms'] = String(outcome.ageMs);
      return { kind: 'notModified', headers };
    }
    case 'sessionNotFound':
      return sessionNotFound();
    case 'rateLimited':
      return rateLimited(outcome, 'Too many polls for sessions that do not exist. Retry after the pause.');
    case 'forbidden':
      return forbidden();
  }
}

export function arriveResponse(outcome: ArriveOutcome, sessionId: string, rules: ResponseRules): ApiResponse {
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
      return locationUnknown(outcome);
    case 'forbidden':
      return forbidden();
    case 'notActive':
      return notActive();
    case 'ended':
      return ended(outcome);
    case 'endedForOthers':
      return ended(null);
  }
}

export function stopResponse(outcome: StopOutcome, sessionId: string): ApiResponse {
  switch (outcome.kind) {
    case 'stopped':
      return success(
        200,
        { sessionId, stoppedAt: isoTime(outcome.stoppedAtMs) },
        replayHeaders(outcome.replayed),
      );
    case 'forbidden':
      return forbidden();
    case 'notActive':
      return notActive();
    case 'ended':
      return ended(outcome);
    case 'endedForOthers':
      return ended(null);
  }
}

export function fleetResponse(outcome: FleetPageOutcome): ApiResponse {
  switch (outcome.kind) {
    case 'page':
      return success(200, outcome.page);
    case 'invalidCursor':
      return new ApiError('VALIDATION_FAILED', 'Validation failed: cursor.', [
        { path: 'cursor', message: INVALID_CURSOR },
      ]);
  }
}

export function diagnosisResponse(outcome: DiagnosisOutcome): ApiResponse {
  switch (outcome.kind) {
    case 'diagnosed':
      return success(200, outcome.journey);
    case 'notActive':
      return notActive();
  }
}

function etagOf(version: string): string {
  return `W/"${version}"`;
}

/** Whether If-None-Match names this version: weak comparison, RFC 9110, sections 8.8.3.2 and 13.1.2. */
export function matches(ifNoneMatch: string | undefined, version: string): boolean {
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

function locationUnknown({ because }: LocationUnknown): ApiError {
  return new ApiError(
    'LOCATION_UNKNOWN',
    because === 'noHome'
      ? 'The session has no usable home location. Stop the journey instead.'
      : 'There is no recent, precise position. Send one and retry.',
  );
}

function forbidden(): ApiError {
  return new ApiError('FORBIDDEN', 'You do not have access to this session.');
}

function sessionNotFound(): ApiError {
  return new ApiError('SESSION_NOT_FOUND', 'The session does not exist.');
}

function notActive(): ApiError {
  return new ApiError('JOURNEY_NOT_ACTIVE', 'The session has no active journey.');
}

/** end: null for callers who may not see the details. */
function ended(end: Ended | null): ApiError {
  return new ApiError(
    'JOURNEY_ENDED',
    'The journey has ended.',
    end === null ? undefined : { reason: end.reason, endedAt: isoTime(end.endedAtMs) },
  );
}
