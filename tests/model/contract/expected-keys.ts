import type { Wanted } from './calls.js';
import { isActive } from './decision.js';
import { parties } from './lifecycle.js';
import { STALE_REPORTED_ONCE_IN_MS, TRACK_OUTLIVES_MS, type Rules } from './rules.js';
import { iso, type PlatformSession, type SessionState } from './state.js';

/** A key of Redis, when it expires, and the fields that other services read. */
export interface ExpectedKey {
  name: string;
  untilMs: number;
  json?: Record<string, Wanted>;
}

/** The keys of one session, without its idempotency records, whose names are not in the contract. */
export function expectedKeys(
  session: PlatformSession,
  state: SessionState,
  nowMs: number,
  rules: Rules,
): ExpectedKey[] {
  const { sessionId, home, trainerId, studentId } = session;
  const { ended, metaUntilMs, staleReported } = state;
  const keys: ExpectedKey[] = journeyKeys(session, state, nowMs, rules);
  if (ended !== null) {
    const { endedAtMs, startedAtMs, reason, untilMs } = ended;
    const json = { ...parties(session), startedAt: iso(startedAtMs), endedAt: iso(endedAtMs), reason };
    keys.push({ name: `journey:ended:${sessionId}`, untilMs, json });
  }
  if (metaUntilMs !== null) {
    const status = (value: unknown) => typeof value === 'string';
    const json = { trainerId, studentId, status, studentHomeLocation: home && { ...home } };
    keys.push({ name: `session:meta:${sessionId}`, untilMs: metaUntilMs, json });
  }
  if (staleReported !== null) {
    keys.push({
      name: `journey:stale-told:${sessionId}`,
      untilMs: staleReported.atMs + STALE_REPORTED_ONCE_IN_MS,
    });
  }
  return keys.filter(({ untilMs }) => untilMs > nowMs);
}

function journeyKeys(
  session: PlatformSession,
  state: SessionState,
  nowMs: number,
  rules: Rules,
): ExpectedKey[] {
  const { journey } = state;
  if (journey === null) return [];
  const { sessionId, trainerId } = session;
  const { startedAtMs, expiresAtMs, last } = journey;
  const keys: ExpectedKey[] = [
    { name: `journey:track:${sessionId}`, untilMs: expiresAtMs + TRACK_OUTLIVES_MS },
  ];
  if (isActive(state, nowMs)) {
    const json = { ...parties(session), startedAt: iso(startedAtMs), status: 'in_progress' };
    keys.push({ name: `journey:active:${sessionId}`, untilMs: expiresAtMs, json });
  }
  if (last !== null) {
    const { latitude, longitude, accuracy, speed, heading, sequence, atMs } = last;
    const position = { latitude, longitude, accuracy, speed, heading, sequence, timestamp: iso(atMs) };
    keys.push({
      name: `location:trainer:${trainerId}:session:${sessionId}`,
      untilMs: atMs + rules.locationTtlMs,
      json: { ...position, sessionId, trainerId },
    });
  }
  return keys;
}
