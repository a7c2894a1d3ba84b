import type { HeartbeatToRecord, PositionToRecord } from '../journeys/ports.js';
import { Keys } from './keys.js';
import type { Argument } from './scripts.js';

/** The keys and arguments of the items of one call of record_positions.lua or read_live.lua. */
export interface CallParts {
  keys: string[];
  args: Argument[];
}

export function positionParts(update: PositionToRecord, keys = new Keys()): CallParts {
  const { sessionId, trainerId, position, ageMs, stretch } = update;
  return {
    keys: updateKeys(sessionId, trainerId, keys),
    args: [
      sessionId,
      trainerId,
      position.latitude,
      position.longitude,
      position.accuracy ?? '',
      position.speed ?? '',
      position.heading ?? '',
      position.sequence ?? '',
      ageMs,
      stretch,
      '',
    ],
  };
}

export function heartbeatParts(update: HeartbeatToRecord, keys = new Keys()): CallParts {
  const { sessionId, trainerId, sequence = '', stretch, heartbeat } = update;
  return {
    keys: updateKeys(sessionId, trainerId, keys),
    args: [sessionId, trainerId, '', '', '', '', '', sequence, 0, stretch, heartbeat],
  };
}

function updateKeys(sessionId: string, trainerId: string, keys: Keys): string[] {
  return [
    keys.active(sessionId),
    keys.ended(sessionId),
    keys.track(sessionId),
    keys.location(trainerId, sessionId),
    keys.rate(trainerId),
  ];
}

export function pollParts(sessionId: string, keys = new Keys()): CallParts {
  return {
    keys: [
      keys.active(sessionId),
      keys.ended(sessionId),
      keys.track(sessionId),
      keys.meta(sessionId),
      keys.missing(sessionId),
    ],
    args: [sessionId],
  };
}

/** clock: milliseconds since the epoch as text, or '' for Redis' own. */
export function recordPositionsArguments(parts: CallParts, clock: string, keys = new Keys()): Argument[] {
  const allKeys = [keys.expiries, keys.outbox, ...parts.keys];
  return [allKeys.length, ...allKeys, clock, ...parts.args];
}

export function readLiveArguments(parts: CallParts, clock: string, keys = new Keys()): Argument[] {
  return [parts.keys.length, ...parts.keys, clock, keys.locationPrefix, ...parts.args];
}
