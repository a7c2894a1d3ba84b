import { CorruptStateError } from '../journeys/errors.js';
import type { ArriveOutcome, Ended, NotActive, RecordOutcome, StopOutcome } from '../journeys/outcomes.js';
import type { LiveReading, StartAttempt, StartedJourney } from '../journeys/ports.js';
import type { Keys } from './keys.js';
import type { ScriptReply } from './scripts.js';
import {
  parseActive,
  parseEnded,
  parseFirstEnd,
  parseFirstStart,
  parseLocation,
  parseMeta,
  parseProblem,
} from './stored-values.js';

/** The scripts' outcomes. Each function throws CorruptStateError where a script met a value that it could not read. */
export function startAttempt(
  reply: ScriptReply,
  sessionId: string,
  keys: Keys,
  repeatKey: string | null,
  journeyTtlSeconds: number,
): StartAttempt {
  const activeKey = keys.active(sessionId);
  switch (reply[0]) {
    case 'started':
      return {
        kind: 'started',
        trainerId: String(reply[3]),
        studentId: String(reply[4]),
        startedAtMs: Number(reply[1]),
        expiresAtMs: Number(reply[2]),
        replayed: false,
      };
    case 'replayed':
      return firstStart(repeatKey ?? activeKey, String(reply[1]));
    case 'already_active':
      return alreadyActive(reply, sessionId, keys, journeyTtlSeconds);
    default:
      throw new CorruptStateError(activeKey, reply[0]);
  }
}

function alreadyActive(
  [, active, sequence]: ScriptReply,
  sessionId: string,
  keys: Keys,
  journeyTtlSeconds: number,
): StartAttempt {
  const { startedAtMs, expiresAtMs } = parseActive(keys.active(sessionId), String(active), journeyTtlSeconds);
  return { kind: 'alreadyActive', startedAtMs, expiresAtMs, lastSequence: sequenceOf(sequence) };
}

function firstStart(key: string, json: string): StartedJourney {
  const { startedAt, expiresAt, ...parties } = parseFirstStart(key, json);
  return { kind: 'started', ...parties, startedAtMs: startedAt, expiresAtMs: expiresAt, replayed: true };
}

export function recordOutcome(reply: ScriptReply, sessionId: string, keys: Keys): RecordOutcome {
  switch (reply[0]) {
    case 'recorded':
    case 'healed':
      return { kind: 'recorded', timestampMs: Number(reply[1]), nextUpdateMs: Number(reply[2]) };
    case 'reanchored':
    case 'heartbeat':
    case 'duplicate':
      return { kind: reply[0], timestampMs: Number(reply[1]), nextUpdateMs: Number(reply[2]) };
    case 'stale':
      return { kind: 'stale', lastSequence: sequenceOf(reply[1]) };
    case 'rate_limited':
      return { kind: 'rateLimited', retryAfterMs: Number(reply[1]) };
    case 'implausible':
      return { kind: 'implausible' };
    case 'location_unknown':
      return { kind: 'locationUnknown', because: 'noPosition' };
    case 'forbidden':
      return { kind: 'forbidden' };
    default:
      return notActive(reply, sessionId, keys);
  }
}

export function liveReading(
  reply: ScriptReply,
  sessionId: string,
  keys: Keys,
  journeyTtlSeconds: number,
): LiveReading {
  const activeKey = keys.active(sessionId);
  switch (reply[0]) {
    case 'active': {
      const journey = parseActive(activeKey, String(reply[2]), journeyTtlSeconds);
      const locationKey = keys.location(journey.trainerId, sessionId);
      const found = typeof reply[3] === 'string' ? parseLocation(locationKey, reply[3]) : null;
      const session = typeof reply[4] === 'string' ? parseMeta(sessionId, reply[4]) : null;
      const home = journey.home ?? session?.home ?? null;
      return {
        kind: 'active',
        nowMs: Number(reply[1]),
        journey: home === journey.home ? journey : { ...journey, home },
        location: found?.location ?? null,
        problem: found === null ? parseProblem(reply[5]) : found.problem,
      };
    }
    case 'not_active': {
      const session = typeof reply[2] === 'string' ? parseMeta(sessionId, reply[2]) : null;
      return { kind: 'inactive', session, knownMissing: session === null && reply[3] === 1 };
    }
    case 'ended':
      return { kind: 'ended', journey: parseEnded(keys.ended(sessionId), String(reply[2])) };
    case 'overdue':
      return {
        kind: 'ended',
        journey: {
          sessionId,
          trainerId: String(reply[2]),
          studentId: String(reply[3]),
          endedAtMs: Number(reply[5]),
          reason: 'timeout',
        },
      };
    default:
      throw new CorruptStateError(activeKey, reply[0]);
  }
}

export function arriveOutcome(
  reply: ScriptReply,
  sessionId: string,
  keys: Keys,
  repeatKey: string | null,
): ArriveOutcome {
  switch (reply[0]) {
    case 'ended_now':
      return {
        kind: 'arrived',
        arrivedAtMs: Number(reply[1]),
        distanceMeters: Number(reply[2]),
        replayed: false,
      };
    case 'replayed': {
      const first = parseFirstEnd(repeatKey ?? keys.active(sessionId), String(reply[1]));
      return { kind: 'arrived', arrivedAtMs: first.endedAt, distanceMeters: first.distance, replayed: true };
    }
    case 'too_far':
      return { kind: 'tooFar', distanceMeters: Number(reply[1]) };
    case 'location_unknown':
      return { kind: 'locationUnknown', because: 'noPosition' };
    case 'no_home':
      return { kind: 'locationUnknown', because: 'noHome' };
    case 'forbidden':
      return { kind: 'forbidden' };
    default:
      return notActive(reply, sessionId, keys);
  }
}

export function stopOutcome(
  reply: ScriptReply,
  sessionId: string,
  keys: Keys,
  repeatKey: string | null,
): StopOutcome {
  switch (reply[0]) {
    case 'ended_now':
      return { kind: 'stopped', stoppedAtMs: Number(reply[1]), replayed: false };
    case 'replayed': {
      const first = parseFirstEnd(repeatKey ?? keys.active(sessionId), String(reply[1]));
      return { kind: 'stopped', stoppedAtMs: first.endedAt, replayed: true };
    }
    case 'forbidden':
      return { kind: 'forbidden' };
    default:
      return notActive(reply, sessionId, keys);
  }
}

function sequenceOf(text: ScriptReply[number] | undefined): number | null {
  return text === '' || text === undefined ? null : Number(text);
}

function notActive(reply: ScriptReply, sessionId: string, keys: Keys): NotActive | Ended {
  switch (reply[0]) {
    case 'not_active':
      return { kind: 'notActive' };
    case 'overdue':
      return { kind: 'ended', trainerId: String(reply[2]), reason: 'timeout', endedAtMs: Number(reply[5]) };
    case 'ended': {
      const { trainerId, reason, endedAtMs } = parseEnded(keys.ended(sessionId), String(reply[2]));
      return { kind: 'ended', trainerId, reason, endedAtMs };
    }
    default:
      throw new CorruptStateError(typeof reply[1] === 'string' ? reply[1] : keys.active(sessionId), reply[0]);
  }
}
