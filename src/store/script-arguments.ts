import type { PositionToRecord } from '../journeys/ports.js';
import * as keys from './keys.js';
import type { Argument } from './scripts.js';

/** What scripts/record_positions.lua takes, and what scripts/read_live.lua, for as many as go into one call. */
export interface CallParts {
  keys: string[];
  args: Argument[];
}

/** Of one position. tag: see partitions.ts. */
export function positionParts(update: PositionToRecord, tag = ''): CallParts {
  const { sessionId, trainerId, position, ageMs, stretch } = update;
  return {
    keys: [
      keys.activeKey(sessionId, tag),
      keys.endedKey(sessionId, tag),
      keys.trackKey(sessionId, tag),
      keys.locationKey(trainerId, sessionId, tag),
      keys.rateKey(trainerId, tag),
    ],
    args: [
      sessionId,
      trainerId,
      text(position.latitude),
      text(position.longitude),
      text(position.accuracy),
      text(position.speed),
      text(position.heading),
      text(position.sequence),
      text(ageMs),
      text(stretch),
    ],
  };
}

/**
 * As String() makes it, but V8 keeps what that makes for the next time, which does not come: nearly each is another number.
 * Meanwhile it grows old enough to be collected with the whole heap: in half a minute, at 1,100 positions a second, 4 MB.
 */
function text(number: number | null | undefined): string {
  if (number === null || number === undefined) return '';
  return Number.isFinite(number) ? JSON.stringify(number) : String(number);
}

/** Of one poll. */
export function pollParts(sessionId: string, tag = ''): CallParts {
  return {
    keys: [
      keys.activeKey(sessionId, tag),
      keys.endedKey(sessionId, tag),
      keys.trackKey(sessionId, tag),
      keys.metaKey(sessionId, tag),
      keys.missingKey(sessionId, tag),
    ],
    args: [sessionId],
  };
}

/** All of record_positions.lua's. clock: its override, or '' for Redis' own. */
export function recordPositionsArguments(
  { keys: keysOfAll, args }: CallParts,
  clock: string,
  tag = '',
): Argument[] {
  const shared = [tag + keys.EXPIRIES_KEY, tag + keys.OUTBOX_KEY];
  return [shared.length + keysOfAll.length, ...shared, ...keysOfAll, clock, ...args];
}

/** All of read_live.lua's. */
export function readLiveArguments({ keys: keysOfAll, args }: CallParts, clock: string, tag = ''): Argument[] {
  return [keysOfAll.length, ...keysOfAll, clock, keys.locationKeyPrefix(tag), ...args];
}
