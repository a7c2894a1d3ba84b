import type { PositionToRecord } from '../journey/ports.js';
import * as keys from './keys.js';
import type { Argument } from './scripts.js';

/** What scripts/record_positions.lua takes, and what scripts/read_live.lua, for as many as go into one call. */
export interface CallParts {
  keys: string[];
  args: Argument[];
}

/** Of one position. */
export function positionParts(update: PositionToRecord): CallParts {
  const { sessionId, trainerId, position, ageMs, stretch } = update;
  return {
    keys: [
      keys.activeKey(sessionId),
      keys.endedKey(sessionId),
      keys.trackKey(sessionId),
      keys.locationKey(trainerId, sessionId),
      keys.rateKey(trainerId),
    ],
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
    ],
  };
}

/** Of one poll. */
export function pollParts(sessionId: string): CallParts {
  return {
    keys: [
      keys.activeKey(sessionId),
      keys.endedKey(sessionId),
      keys.trackKey(sessionId),
      keys.metaKey(sessionId),
      keys.missingKey(sessionId),
    ],
    args: [sessionId],
  };
}

/** All of record_positions.lua's. clock: its override, or '' for Redis' own. */
export function recordPositionsArguments({ keys: keysOfAll, args }: CallParts, clock: string): Argument[] {
  return [keysOfAll.length + 2, keys.DEADLINES_KEY, keys.OUTBOX_KEY, ...keysOfAll, clock, ...args];
}

/** All of read_live.lua's. */
export function readLiveArguments({ keys: keysOfAll, args }: CallParts, clock: string): Argument[] {
  return [keysOfAll.length, ...keysOfAll, clock, keys.LOCATION_KEY_PREFIX, ...args];
}
