import type { Caller, ExpectedAnswer } from './calls.js';
import { iso, type SessionState, type Situation, type ModelEvent } from './state.js';
import type { Rules } from './rules.js';

/** The result of one call. */
export interface Decision {
  answer: ExpectedAnswer;
  state: SessionState;
  arrivalMs: Situation['arrivalMs'];
  events: ModelEvent[];
  /** Of a live answer: the model's name for what its ETag covers. */
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

/** How the last journey ended, including one that is past its limit and not ended yet. */
export function endOf({ journey, ended }: SessionState, nowMs: number, rules: Rules): SessionState['ended'] {
  if (journey === null || nowMs < journey.expiresAtMs) return ended;
  const { startedAtMs, expiresAtMs: endedAtMs } = journey;
  const untilMs = endedAtMs + rules.endedTtlMs;
  return nowMs < untilMs ? { startedAtMs, endedAtMs, reason: 'timeout', untilMs } : null;
}

/** Update, arrive and stop without an active journey. Only its trainer and admins get reason and time of the end. */
export function notActive(situation: Situation, { userId, role }: Caller, rules: Rules): Decision {
  const end = endOf(situation.state, situation.nowMs, rules);
  if (end === null) return refused(situation, 404, 'JOURNEY_NOT_ACTIVE');
  if (role !== 'admin' && situation.session?.trainerId !== userId)
    return refused(situation, 410, 'JOURNEY_ENDED');
  return refused(situation, 410, 'JOURNEY_ENDED', {
    details: { reason: end.reason, endedAt: iso(end.endedAtMs) },
  });
}

/** Drops what has expired. */
export function aged(state: SessionState, nowMs: number): SessionState {
  const isOver = (untilMs: number | null) => untilMs === null || untilMs <= nowMs;
  const { ended, metaUntilMs, missingUntilMs } = state;
  const remaining = Object.entries(state.firstAnswers).filter(([, { untilMs }]) => !isOver(untilMs));
  return {
    ...state,
    ended: ended !== null && isOver(ended.untilMs) ? null : ended,
    firstAnswers: Object.fromEntries(remaining),
    metaUntilMs: isOver(metaUntilMs) ? null : metaUntilMs,
    missingUntilMs: isOver(missingUntilMs) ? null : missingUntilMs,
  };
}
