/**
 * The names of all keys; other services read the first five as they are.
 * All keys of one session belong together (one slot, where Redis is a cluster): tag is what partitions.ts puts in front of
 * each of them there, and empty on a single Redis.
 */
export function locationKeyPrefix(tag = ''): string {
  return `${tag}location:trainer:`;
}

export function activeKey(sessionId: string, tag = ''): string {
  return `${tag}journey:active:${sessionId}`;
}

export function endedKey(sessionId: string, tag = ''): string {
  return `${tag}journey:ended:${sessionId}`;
}

export function locationKey(trainerId: string, sessionId: string, tag = ''): string {
  return `${tag}location:trainer:${trainerId}:session:${sessionId}`;
}

/** In a cluster the rate is a trainer's and partition's. */
export function rateKey(trainerId: string, tag = ''): string {
  return `${tag}location:rate:${trainerId}`;
}

export function metaKey(sessionId: string, tag = ''): string {
  return `${tag}session:meta:${sessionId}`;
}

/** The mark of a session that the platform does not know. */
export function missingKey(sessionId: string, tag = ''): string {
  return `${tag}session:missing:${sessionId}`;
}

/** The service's own record of a journey: see scripts/includes/track.lua. */
export function trackKey(sessionId: string, tag = ''): string {
  return `${tag}journey:track:${sessionId}`;
}

/** The mark that the platform was told of the journey's old position. */
export function staleToldKey(sessionId: string, tag = ''): string {
  return `${tag}journey:stale-told:${sessionId}`;
}

/**
 * scripts/includes/changes.lua tells there what happens to a session's journey. A cluster tells every message to all of
 * its nodes, so the name needs no tag.
 */
export const CHANGES_PREFIX = 'journey:changes:';

export function changesChannel(sessionId: string): string {
  return CHANGES_PREFIX + sessionId;
}

/** The first answer to a call with an Idempotency-Key. */
export function idempotencyKey(sessionId: string, digest: string, tag = ''): string {
  return `${tag}journey:idempotency:${sessionId}:${digest}`;
}

/** The names of what is one a partition, without their tag. Sorted set: sessionId by the millisecond at which its journey runs into its limit. */
export const EXPIRIES_KEY = 'journey:deadlines';

/** Stream of events that are not published yet. */
export const OUTBOX_KEY = 'journey:outbox';

/** Stream of events that the bus refused for good. */
export const DEAD_LETTERS_KEY = 'journey:outbox:dead';
