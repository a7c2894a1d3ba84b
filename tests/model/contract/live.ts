import type { Call, ExpectedAnswer, Wanted } from './calls.js';
import { endOf, forbidden, isActive, refused, type Decision } from './decision.js';
import { metersBetween } from './geometry.js';
import { parties } from './lifecycle.js';
import * as numbers from './rules.js';
import type { Rules } from './rules.js';
import {
  iso,
  type Journey,
  type PlatformSession,
  type SessionState,
  type Situation,
  type ModelEvent,
} from './state.js';

type LiveCall = Extract<Call, { kind: 'live' }>;

const nothingKnown = {
  location: null,
  lastUpdate: null,
  distanceMeters: null,
  etaSeconds: null,
  ageMs: null,
  freshness: null,
  uncertaintyMeters: null,
  stillSeconds: null,
};
const isPause = (value: unknown) => Number.isInteger(value) && Number(value) > 0 && Number(value) <= 16_000;

export function live(situation: Situation, call: LiveCall, rules: Rules): Decision {
  const { session, state, nowMs } = situation;
  const end = endOf(state, nowMs, rules);
  const isInTheState = isActive(state, nowMs) || end !== null;
  const asked = isInTheState ? situation : { ...situation, state: askedPlatform(situation) };
  if (session === null) return refused(asked, 404, 'SESSION_NOT_FOUND');
  if (!mayWatch(call, session)) return forbidden(asked);
  const { sessionId, trainerId } = session;
  const common = { sessionId, trainerId, nextPollMs: isPause };
  if (state.journey !== null && isActive(state, nowMs)) {
    const reported = reportStale(situation, call, session, state.journey);
    const data = { ...common, ...activeData(situation, session, state.journey, rules) };
    return shown({ ...asked, state: reported.state }, call, data, versionOf(asked, rules), reported.events);
  }
  const inactive = {
    ...common,
    isActive: false,
    ...nothingKnown,
    trainerProblem: null,
    startedAt: null,
    expiresAt: null,
  };
  const ending =
    end === null
      ? { endedReason: undefined, endedAt: undefined }
      : { endedReason: end.reason, endedAt: iso(end.endedAtMs) };
  return shown(asked, call, { ...inactive, ...ending }, versionOf(asked, rules), []);
}

/** A name for what the ETag covers: the state without its age. */
export function versionOf({ session, state, nowMs }: Situation, rules: Rules): string {
  const { journey } = state;
  if (journey !== null && isActive(state, nowMs)) {
    const atMs = shownPosition(journey, nowMs, rules)?.atMs ?? 'nowhere';
    const name = `active ${journey.startedAtMs} ${atMs}`;
    return journey.problem === null ? name : `${name} ${journey.problem}`;
  }
  const end = endOf(state, nowMs, rules);
  return end === null ? `none ${session?.trainerId ?? ''}` : `ended ${end.endedAtMs}`;
}

function shown(
  { state, arrivalMs }: Situation,
  call: LiveCall,
  data: Record<string, Wanted>,
  version: string,
  events: ModelEvent[],
): Decision {
  const headers = {
    etag: (value: unknown) => /^W\/"[^"]+"$/.test(String(value)),
    'cache-control': 'private, no-store',
  };
  const isKnown = call.knows === version;
  const answer: ExpectedAnswer = isKnown ? { status: 304, headers } : { status: 200, data, headers };
  return { answer, state, arrivalMs, events, version };
}

function mayWatch({ caller }: LiveCall, { trainerId, studentId }: PlatformSession): boolean {
  return caller.role === 'admin' || (caller.role === 'trainer' ? trainerId : studentId) === caller.userId;
}

/** The row of a session without a journey is cached. */
function askedPlatform({ session, state, nowMs }: Situation): SessionState {
  if (session === null)
    return { ...state, missingUntilMs: state.missingUntilMs ?? nowMs + numbers.MISSING_SESSION_MS };
  return { ...state, metaUntilMs: state.metaUntilMs ?? nowMs + numbers.KNOWN_SESSION_MS };
}

/** An event that a student sees an old position, at most once a minute and journey. */
function reportStale(
  { state, nowMs }: Situation,
  { caller }: LiveCall,
  session: PlatformSession,
  { last, startedAtMs }: Journey,
): { state: SessionState; events: ModelEvent[] } {
  const isOld = last !== null && nowMs - last.seenMs > numbers.STALE_AFTER_MS;
  const { staleReported } = state;
  const wasReported =
    staleReported?.ofStartMs === startedAtMs &&
    nowMs - staleReported.atMs < numbers.STALE_REPORTED_ONCE_IN_MS;
  if (caller.role !== 'student' || !isOld || wasReported) return { state, events: [] };
  const detail = { ...parties(session), time: iso(nowMs), lastFixTime: iso(last.seenMs) };
  return {
    state: { ...state, staleReported: { ofStartMs: startedAtMs, atMs: nowMs } },
    events: [{ detailType: 'TrainerLocationStale', detail }],
  };
}

function shownPosition({ last }: Journey, nowMs: number, rules: Rules): Journey['last'] {
  return last !== null && nowMs < last.atMs + rules.locationTtlMs ? last : null;
}

function activeData(
  { nowMs }: Situation,
  session: PlatformSession,
  journey: Journey,
  rules: Rules,
): Record<string, Wanted> {
  const { startedAtMs, expiresAtMs, problem: trainerProblem } = journey;
  const active = {
    isActive: true,
    startedAt: iso(startedAtMs),
    expiresAt: iso(expiresAtMs),
    endedReason: undefined,
    trainerProblem,
  };
  const position = shownPosition(journey, nowMs, rules);
  if (position === null) return { ...active, ...nothingKnown };
  const { latitude, longitude, accuracy, speed, heading, sequence, atMs, fixMs, seenMs } = position;
  const ageMs = nowMs - seenMs;
  return {
    ...active,
    location: { latitude, longitude, accuracy, speed, heading, sequence, timestamp: iso(atMs) },
    lastUpdate: iso(atMs),
    ageMs: (value) => Number(value) >= ageMs && Number(value) <= ageMs + numbers.ANSWER_WITHIN_MS,
    distanceMeters: session.home === null ? null : Math.round(metersBetween(position, session.home)),
    etaSeconds: (value) =>
      value === null || (session.home !== null && Number.isInteger(value) && Number(value) >= 0),
    freshness: freshnessOf(ageMs, position.nextUpdateMs, rules),
    uncertaintyMeters: uncertaintyOf(accuracy),
    stillSeconds: (value) =>
      seenMs > fixMs
        ? Number(value) >= Math.floor((seenMs - fixMs) / 1000)
        : value === null || Number(value) >= 0,
  };
}

/** The limits move with an update interval that is longer than the ordinary one. */
function freshnessOf(ageMs: number, nextUpdateMs: number | null, rules: Rules): Wanted {
  if (nextUpdateMs === null) return (value) => ['live', 'delayed', 'stale'].includes(String(value));
  const at = (lateMs: number) => {
    if (lateMs <= numbers.LIVE_UP_TO_MS) return 'live';
    return lateMs <= numbers.DELAYED_UP_TO_MS ? 'delayed' : 'stale';
  };
  const lateMs = ageMs - (nextUpdateMs - rules.updateIntervalMs);
  return (value) => value === at(lateMs) || value === at(lateMs + numbers.ANSWER_WITHIN_MS);
}

/** Grows with the age; the contract does not say how fast. */
function uncertaintyOf(accuracy: number | undefined): Wanted {
  if (accuracy === undefined) return null;
  return (value) => typeof value === 'number' && value >= Math.round(accuracy);
}
