/**
 * The names of all keys; other services read the first five as they are.
 * All keys of one session belong together (one slot, where Redis is a cluster): whatever is put in front of one name must
 * be put in front of all of them.
 */
export const LOCATION_KEY_PREFIX = 'location:trainer:';

export function activeKey(sessionId: string): string {
  return `journey:active:${sessionId}`;
}

export function endedKey(sessionId: string): string {
  return `journey:ended:${sessionId}`;
}

export function locationKey(trainerId: string, sessionId: string): string {
  return `${LOCATION_KEY_PREFIX}${trainerId}:session:${sessionId}`;
}

export function rateKey(trainerId: string): string {
  return `location:rate:${trainerId}`;
}

export function metaKey(sessionId: string): string {
  return `session:meta:${sessionId}`;
}

/** The mark of a session that the platform does not know. */
export function missingKey(sessionId: string): string {
  return `session:missing:${sessionId}`;
}

/** The service's own record of a journey: see scripts/includes/track.lua. */
export function trackKey(sessionId: string): string {
  return `journey:track:${sessionId}`;
}

/** The mark that the platform was told of the journey's old position. */
export function staleToldKey(sessionId: string): string {
  return `journey:stale-told:${sessionId}`;
}

/** scripts/includes/changes.lua tells there what happens to a session's journey. */
export const CHANGES_PREFIX = 'journey:changes:';

export function changesChannel(sessionId: string): string {
  return CHANGES_PREFIX + sessionId;
}

/** The first answer to a call with an Idempotency-Key. */
export function idempotencyKey(sessionId: string, digest: string): string {
  return `journey:idempotency:${sessionId}:${digest}`;
}

/** Sorted set: sessionId by the millisecond at which its journey runs into its limit. */
export const DEADLINES_KEY = 'journey:deadlines';

/** Stream of events that are not published yet. */
export const OUTBOX_KEY = 'journey:outbox';

/** Stream of events that the bus refused for good. */
export const DEAD_LETTERS_KEY = 'journey:outbox:dead';
