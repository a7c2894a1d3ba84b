import type { PositionToRecord } from '../journey/ports.js';
import * as keys from './keys.js';

/** KEYS and ARGV of scripts/record_position.lua; clock: its override, or '' for Redis' own; tag: see partitions.ts. */
export function positionArguments(update: PositionToRecord, clock: string, tag = ''): (string | number)[] {
  const { sessionId, trainerId, position, ageMs, stretch } = update;
  return [
    keys.activeKey(sessionId, tag),
    keys.endedKey(sessionId, tag),
    keys.trackKey(sessionId, tag),
    keys.locationKey(trainerId, sessionId, tag),
    keys.rateKey(trainerId, tag),
    tag + keys.DEADLINES_KEY,
    tag + keys.OUTBOX_KEY,
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
