import type { PositionToRecord } from '../journey/ports.js';
import * as keys from './keys.js';

/** KEYS and ARGV of scripts/record_position.lua; clock: its override, or '' for Redis' own. */
export function positionArguments(update: PositionToRecord, clock: string): (string | number)[] {
  const { sessionId, trainerId, position, ageMs, stretch } = update;
  return [
    keys.activeKey(sessionId),
    keys.endedKey(sessionId),
    keys.trackKey(sessionId),
    keys.locationKey(trainerId, sessionId),
    keys.rateKey(trainerId),
    keys.DEADLINES_KEY,
    keys.OUTBOX_KEY,
    clock,
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
  ];
}
