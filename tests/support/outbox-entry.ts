import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { OUTBOX_KEY } from '../../src/store/keys.js';

/** Puts an event with these fields into the outbox, as the scripts do. @returns its session */
export async function putIntoOutbox(redis: Redis, fields: Record<string, string> = {}): Promise<string> {
  const sessionId = randomUUID();
  const detail = { eventId: randomUUID(), sessionId, trainerId: randomUUID(), studentId: randomUUID() };
  const entry = {
    type: 'TrainerJourneyStarted',
    at: String(Date.now()),
    detail: JSON.stringify(detail),
    ...fields,
  };
  await redis.xadd(OUTBOX_KEY, '*', ...Object.entries(entry).flat());
  return sessionId;
}
