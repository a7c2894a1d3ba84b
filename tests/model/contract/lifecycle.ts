import type { Call } from './calls.js';
import { forbidden, isActive, notActive, refused, type Decision } from './decision.js';
import { metersBetween } from './geometry.js';
import { nobodySeen, spare, type Fix } from './plausibility.js';
import {
  idempotencyTtlMs,
  OLDEST_FIX_MS,
  PRECISE_COUNTS_MS,
  startableStatuses,
  type Rules,
} from './rules.js';
import {
  iso,
  type EndReason,
  type FirstAnswer,
  type Journey,
  type PlatformSession,
  type SessionState,
  type Situation,
  type ModelEvent,
} from './state.js';

type LifecycleCall = Extract<Call, { kind: 'start' | 'arrived' | 'stop' }>;

export function start(situation: Situation, call: LifecycleCall, rules: Rules): Decision {
  const { session, state, nowMs, arrivalMs } = situation;
  if (call.caller.role !== 'trainer') return forbidden(situation);
  if (session === null) return refused(situation, 404, 'SESSION_NOT_FOUND');
  if (session.trainerId !== call.caller.userId) return forbidden(situation);
  const first = firstAnswerTo(state, call);
  if (first !== undefined) return replayed(situation, first);
  const { journey } = state;
  if (journey !== null && isActive(state, nowMs)) {
    const details = {
      startedAt: iso(journey.startedAtMs),
      expiresAt: iso(journey.expiresAtMs),
      lastSequence: journey.lastNumbered?.sequence ?? null,
    };
    return refused(situation, 409, 'JOURNEY_ALREADY_ACTIVE', { details });
  }
  if (!startableStatuses.includes(session.status)) return refused(situation, 400, 'SESSION_NOT_STARTABLE');

  const swept = sweep(session, state, nowMs, rules);
  const expiresAtMs = nowMs + rules.journeyTtlMs;
  const { sessionId, trainerId, studentId } = session;
  const data = { sessionId, trainerId, studentId, startedAt: iso(nowMs), expiresAt: iso(expiresAtMs) };
  const started = {
    detailType: 'TrainerJourneyStarted',
    detail: { ...parties(session), startTime: iso(nowMs) },
  } as const;
  return {
    answer: {
      status: 201,
      data: { ...data, nextUpdateMs: rules.updateIntervalMs },
      headers: { 'idempotency-replayed': undefined },
    },
    state: withFirstAnswer(
      { ...swept.state, journey: newJourney(nowMs, expiresAtMs), ended: null, metaUntilMs: expiresAtMs },
      call,
      {
        status: 201,
        data: { ...data, nextUpdateMs: rules.updateIntervalMs },
        untilMs: nowMs + idempotencyTtlMs(rules),
      },
    ),
    arrivalMs,
    events: [...swept.events, started],
  };
}

export function arrive(situation: Situation, call: LifecycleCall, rules: Rules): Decision {
  const { session, state, nowMs } = situation;
  if (call.caller.role !== 'trainer') return forbidden(situation);
  const first = firstAnswerTo(state, call);
  if (first !== undefined) return replayed(situation, first);
  if (session === null || !isActive(state, nowMs)) return notActive(situation, call.caller, rules);
  if (session.trainerId !== call.caller.userId) return forbidden(situation);
  const fix = state.journey && arrivalFix(state.journey, nowMs, rules);
  if (session.home === null || fix === null) return refused(situation, 400, 'LOCATION_UNKNOWN');
  const meters = metersBetween(fix, session.home);
  const distance = Math.round(meters);
  if (meters > rules.arrivalRadiusMeters) {
    const details = { distance, maxDistance: rules.arrivalRadiusMeters };
    return refused(situation, 400, 'NOT_AT_DESTINATION', { details });
  }
  return ended(situation, session, call, 'arrived', { arrivedAt: iso(nowMs), distance }, rules);
}

/** The fix by which an arrival is judged; null where none suffices. */
function arrivalFix({ last, belief }: Journey, nowMs: number, rules: Rules): Fix | null {
  if (last === null || nowMs >= last.atMs + rules.locationTtlMs) return null;
  const isCoarse = (last.accuracy ?? 0) > rules.coarseAccuracyMeters;
  const fix = isCoarse ? belief.reference : { ...last, fixMs: last.seenMs };
  if (fix === null || nowMs - fix.fixMs > (isCoarse ? PRECISE_COUNTS_MS : OLDEST_FIX_MS)) return null;
  const { confirmed } = belief;
  return confirmed !== null && spare(confirmed, { ...fix, fixMs: nowMs }, rules) < 0 ? null : fix;
}

export function stop(situation: Situation, call: LifecycleCall, rules: Rules): Decision {
  const { session, state, nowMs } = situation;
  const { role, userId } = call.caller;
  if (role === 'student') return forbidden(situation);
  const first = firstAnswerTo(state, call);
  if (first !== undefined) return replayed(situation, first);
  if (session === null || !isActive(state, nowMs)) return notActive(situation, call.caller, rules);
  if (role === 'trainer' && session.trainerId !== userId) return forbidden(situation);
  return ended(situation, session, call, 'cancelled', { stoppedAt: iso(nowMs) }, rules);
}

/** Ends a journey that is past its limit, at the time of its limit. */
export function sweep(
  session: PlatformSession,
  state: SessionState,
  nowMs: number,
  rules: Rules,
): { state: SessionState; events: ModelEvent[] } {
  const { journey } = state;
  if (journey === null || isActive(state, nowMs)) return { state, events: [] };
  return closed(session, state, journey, { reason: 'timeout', endedAtMs: journey.expiresAtMs }, nowMs, rules);
}

function ended(
  situation: Situation,
  session: PlatformSession,
  call: LifecycleCall,
  reason: EndReason,
  data: Record<string, string | number>,
  rules: Rules,
): Decision {
  const { state, nowMs, arrivalMs } = situation;
  const { journey } = state;
  if (journey === null) throw new Error('only an active journey ends');
  const after = closed(session, state, journey, { reason, endedAtMs: nowMs }, nowMs, rules);
  const answer = { status: 200, data: { sessionId: call.sessionId, ...data } };
  return {
    answer: { ...answer, headers: { 'idempotency-replayed': undefined } },
    state: withFirstAnswer(after.state, call, { ...answer, untilMs: nowMs + idempotencyTtlMs(rules) }),
    arrivalMs,
    events: after.events,
  };
}

/** No location and no cached metadata remain; the ended mark does for a while. */
function closed(
  session: PlatformSession,
  state: SessionState,
  { startedAtMs }: Journey,
  { reason, endedAtMs }: { reason: EndReason; endedAtMs: number },
  nowMs: number,
  rules: Rules,
): { state: SessionState; events: ModelEvent[] } {
  const untilMs = endedAtMs + rules.endedTtlMs;
  const mark = nowMs < untilMs ? { startedAtMs, endedAtMs, reason, untilMs } : null;
  const detail = { ...parties(session), endTime: iso(endedAtMs), reason };
  return {
    state: { ...state, journey: null, ended: mark, metaUntilMs: null },
    events: [{ detailType: 'TrainerJourneyEnded', detail }],
  };
}

function newJourney(startedAtMs: number, expiresAtMs: number): Journey {
  return {
    ...{ startedAtMs, expiresAtMs, last: null, lastNumbered: null, problem: null, belief: nobodySeen },
    ...{ cameAtMs: null, dueInMs: null, isEarly: false, wasNearby: false },
  };
}

export function parties({ sessionId, trainerId, studentId }: PlatformSession): Record<string, string> {
  return { sessionId, trainerId, studentId };
}

/** Identifies repeats: the same call by the same caller with the same key. */
function repeatOf({ kind, caller, key }: LifecycleCall): string {
  return `${kind} ${caller.userId} ${key ?? ''}`;
}

function firstAnswerTo(state: SessionState, call: LifecycleCall): FirstAnswer | undefined {
  return call.key === undefined ? undefined : state.firstAnswers[repeatOf(call)];
}

function withFirstAnswer(state: SessionState, call: LifecycleCall, first: FirstAnswer): SessionState {
  if (call.key === undefined) return state;
  return { ...state, firstAnswers: { ...state.firstAnswers, [repeatOf(call)]: first } };
}

function replayed({ state, arrivalMs }: Situation, { status, data }: FirstAnswer): Decision {
  const answer = {
    status,
    data: data as Record<string, string>,
    headers: { 'idempotency-replayed': 'true' },
  };
  return { answer, state, arrivalMs, events: [] };
}
