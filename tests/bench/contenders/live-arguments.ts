import * as keys from '../../../src/redis/keys.js';

/** KEYS and ARGV of scripts/read_live.lua, as the service's store sends them. */
export function liveArguments(sessionId: string): string[] {
  return [
    keys.activeKey(sessionId),
    keys.endedKey(sessionId),
    keys.trackKey(sessionId),
    keys.metaKey(sessionId),
    keys.missingKey(sessionId),
    '',
    keys.locationKeyPrefix(),
    sessionId,
  ];
}
