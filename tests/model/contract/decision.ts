import type { Caller, ExpectedAnswer } from './calls.js';
import { iso, type SessionState, type Situation, type ToldEvent } from './state.js';
import type { Rules } from './rules.js';

/** What one call leads to. */
export interface Decision {
  answer: ExpectedAnswer;
  state: SessionState;
  arrivalMs: Situation['arrivalMs'];
  events: ToldEvent[];
  /** Of a live answer: the state that its ETag names. */
  version?: string;
}

export function refused(
  { state, arrivalMs }: Situation,
  status: number,
  code: string,
  more: Pick<ExpectedAnswer, 'details' | 'headers'> = {},
): Decision {
  return { answer: { status, code, ...more }, state, arrivalMs, events: [] };
}

export function forbidden(situation: Situation): Decision {
  return refused(situation, 403, 'FORBIDDEN');
}

export function isActive({ journey }: SessionState, nowMs: number): boolean {
  return journey !== null && nowMs < journey.expiresAtMs;
}

/** How the last journey ended, where that is not too long ago; also by its limit, when nobody has swept it up yet. */
export function endOf({ journey, ended }: SessionState, nowMs: number, rules: Rules): SessionState['ended'] {
  if (journey === null || nowMs < journey.expiresAtMs) return ended;
  const { startedAtMs, expiresAtMs: endedAtMs } = journey;
  const untilMs = endedAtMs + rules.endedTtlMs;
  return nowMs < untilMs ? { startedAtMs, endedAtMs, reason: 'timeout', untilMs } : null;
}

/** Update, arrive and stop without an active journey; how and when it ended is for its own trainer and for admins. */
export function notActive(situation: Situation, { userId, role }: Caller, rules: Rules): Decision {
  const end = endOf(situation.state, situation.nowMs, rules);
  if (end === null) return refused(situation, 404, 'JOURNEY_NOT_ACTIVE');
  if (role !== 'admin' && situation.session?.trainerId !== userId)
    return refused(situation, 410, 'JOURNEY_ENDED');
  return refused(situation, 410, 'JOURNEY_ENDED', {
    details: { reason: end.reason, endedAt: iso(end.endedAtMs) },
  });
}

/** What time alone changes: everything that has a TTL goes when it is over. */
export function aged(state: SessionState, nowMs: number): SessionState {
  const isOver = (untilMs: number | null) => untilMs === null || untilMs <= nowMs;
  const { ended, metaUntilMs, missingUntilMs } = state;
  const kept = Object.entries(state.firstAnswers).filter(([, { untilMs }]) => !isOver(untilMs));
  return {
    ...state,
    ended: ended !== null && isOver(ended.untilMs) ? null : ended,
    firstAnswers: Object.fromEntries(kept),
    metaUntilMs: isOver(metaUntilMs) ? null : metaUntilMs,
    missingUntilMs: isOver(missingUntilMs) ? null : missingUntilMs,
  };
}
