import { createHash } from 'node:crypto';
import type { Idempotency } from '../journeys/ports.js';
import * as keys from './keys.js';

/** The first keys of the scripts that start and end a journey, whatever ends it. */
export function lifecycleKeys(sessionId: string, tag: string): string[] {
  return [
    keys.activeKey(sessionId, tag),
    keys.endedKey(sessionId, tag),
    keys.trackKey(sessionId, tag),
    keys.metaKey(sessionId, tag),
    tag + keys.EXPIRIES_KEY,
    tag + keys.OUTBOX_KEY,
  ];
}

/** The key is the caller's text, so only its digest becomes part of a name in Redis. */
export function repeatKeyOf(
  call: string,
  sessionId: string,
  tag: string,
  { callerId, key }: Idempotency,
): string {
  const digest = createHash('sha256').update(`${call}\n${callerId}\n${key}`).digest('base64url').slice(0, 22);
  return keys.idempotencyKey(sessionId, digest, tag);
}
