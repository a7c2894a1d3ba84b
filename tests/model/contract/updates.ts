import type { Call, UpdateBody } from './calls.js';
import { forbidden, isActive, notActive, refused, type Decision } from './decision.js';
import { metersBetween } from './geometry.js';
import { parties } from './lifecycle.js';
import { isConfirmed, judge, lateness } from './plausibility.js';
import { heartbeats, LONGEST_UPDATE_MS, OLDEST_FIX_MS, type Rules } from './rules.js';
import {
  iso,
  type Journey,
  type PlatformSession,
  type Situation,
  type AcceptedPosition,
  type ModelEvent,
} from './state.js';

type UpdateCall = Extract<Call, { kind: 'update' }>;

/** The order of the checks is the contract's. */
export function update(situation: Situation, call: UpdateCall, rules: Rules): Decision {
  const { session, state, nowMs } = situation;
  if (call.caller.role !== 'trainer') return forbidden(situation);
  if (!isOfItsForm(call.body)) return refused(situation, 400, 'VALIDATION_FAILED');
  const heartbeat = heartbeatOf(call.body);
  if (heartbeat === undefined && call.body.mocked === true) return refused(situation, 400, 'LOCATION_MOCKED');
  if (session === null || state.journey === null || !isActive(state, nowMs))
    return notActive(situation, call.caller, rules);
  if (session.trainerId !== call.caller.userId) return forbidden(situation);
  const ageMs = heartbeat === undefined ? Math.max(0, Math.round(Number(call.body.ageMs ?? 0))) : 0;
  const taken = readPosition(call.body, nowMs, ageMs);
  const known = duplicateOrStale(situation, state.journey, { ...taken, ageMs, heartbeat }, rules);
  if (known !== null) return known;
  if (heartbeat === 'still' && !isStored(state.journey.last, nowMs, rules))
    return refused(situation, 400, 'LOCATION_UNKNOWN');

  const slot = takeSlot(situation, rules);
  if (slot.waitMs > 0) {
    return refused(situation, 429, 'RATE_LIMITED', {
      details: { retryAfterMs: slot.waitMs },
      headers: { 'retry-after': String(Math.ceil(slot.waitMs / 1000)) },
    });
  }
  const usingIt = { ...situation, arrivalMs: slot.arrivalMs };
  if (heartbeat !== undefined) return beaten(usingIt, state.journey, taken, heartbeat, rules);
  const { isPlausible, journey } = judged(state.journey, taken, rules);
  if (isPlausible) return recorded(usingIt, session, journey, taken, rules);
  return refused({ ...usingIt, state: { ...state, journey } }, 400, 'LOCATION_IMPLAUSIBLE');
}

function duplicateOrStale(
  situation: Situation,
  journey: Journey,
  taken: AcceptedPosition & { ageMs: number; heartbeat: string | undefined },
  rules: Rules,
): Decision | null {
  const { last, lastNumbered } = journey;
  const { sequence, fixMs, ageMs, heartbeat } = taken;
  const isRepeated =
    sequence !== undefined && sequence === lastNumbered?.sequence && heartbeat === lastNumbered.heartbeat;
  if (isRepeated && (heartbeat !== undefined || isAtItsPlace(journey, taken, rules))) {
    const { atMs, nextUpdateMs } = lastNumbered;
    return { ...recordedAnswer(situation, atMs, nextUpdateMs, rules), state: situation.state };
  }
  const isBehind = sequence !== undefined && lastNumbered !== null && sequence <= lastNumbered.sequence;
  if (!isBehind && ageMs <= OLDEST_FIX_MS && (last === null || fixMs >= last.fixMs)) return null;
  return refused(situation, 409, 'LOCATION_STALE', {
    details: { lastSequence: lastNumbered?.sequence ?? null },
  });
}

/** GCRA: the time to wait, or the next theoretical arrival time. */
function takeSlot(
  { arrivalMs, nowMs }: Situation,
  { updateIntervalMs, updateToleranceMs }: Rules,
): { waitMs: number; arrivalMs: Situation['arrivalMs'] } {
  if (arrivalMs === 'unknown') return { waitMs: 0, arrivalMs };
  const dueMs = Math.max(nowMs, arrivalMs ?? nowMs);
  return { waitMs: Math.max(0, dueMs - updateToleranceMs - nowMs), arrivalMs: dueMs + updateIntervalMs };
}

function isStored(last: Journey['last'], nowMs: number, rules: Rules): last is AcceptedPosition {
  return last !== null && nowMs < last.atMs + rules.locationTtlMs;
}

/** Where the last one is not known any more, the last precise one counts. */
function isAtItsPlace({ last, belief }: Journey, taken: AcceptedPosition, rules: Rules): boolean {
  const place = isStored(last, taken.atMs, rules) ? last : belief.reference;
  return place?.latitude === taken.latitude && place.longitude === taken.longitude;
}

function judged(
  before: Journey,
  taken: AcceptedPosition,
  rules: Rules,
): { isPlausible: boolean; journey: Journey } {
  const { cameAtMs } = before;
  const { atMs } = taken;
  const intervalMs = intervalOf(before, rules);
  const journey = { ...before, ...arrivalAt(before, atMs, rules) };
  if (isCoarse(taken, rules)) return { isPlausible: true, journey };
  const { latitude, longitude, accuracy, fixMs } = taken;
  const lateMs = lateness(cameAtMs, intervalMs, atMs);
  const { verdict, belief } = judge(before.belief, { latitude, longitude, accuracy, fixMs }, lateMs, rules);
  return { isPlausible: verdict !== 'refused', journey: { ...journey, belief } };
}

/** When the next update is due after the last one. */
function intervalOf({ isEarly, dueInMs }: Journey, rules: Rules): number {
  return (isEarly ? null : dueInMs) ?? rules.updateIntervalMs;
}

function arrivalAt(before: Journey, atMs: number, rules: Rules): Pick<Journey, 'isEarly' | 'cameAtMs'> {
  const { cameAtMs } = before;
  const isTooEarly =
    cameAtMs !== null && atMs - cameAtMs - intervalOf(before, rules) < -rules.updateToleranceMs;
  return { isEarly: before.isEarly || isTooEarly, cameAtMs: atMs };
}

/** A heartbeat, accepted: the last position is seen again, or the phone has a problem. */
function beaten(
  situation: Situation,
  before: Journey,
  { atMs, sequence }: AcceptedPosition,
  heartbeat: string,
  rules: Rules,
): Decision {
  const isStill = heartbeat === 'still';
  const { last, lastNumbered } = before;
  const journey: Journey = {
    ...before,
    ...arrivalAt(before, atMs, rules),
    last: isStill && last !== null ? { ...last, atMs, seenMs: atMs, speed: 0, nextUpdateMs: null } : last,
    lastNumbered: numbered(lastNumbered, { sequence, atMs, heartbeat }),
    problem: isStill ? null : heartbeat,
    dueInMs: null,
  };
  const state = { ...situation.state, journey };
  return { ...recordedAnswer(situation, atMs, null, rules), state };
}

function recorded(
  situation: Situation,
  session: PlatformSession,
  journey: Journey,
  taken: AcceptedPosition,
  rules: Rules,
): Decision {
  const { nowMs } = situation;
  const { sequence, accuracy } = taken;
  const distance = session.home === null ? Infinity : metersBetween(taken, session.home);
  const isPrecise = !isCoarse(taken, rules) && isConfirmed(journey.belief);
  const isNear = isPrecise && distance + (accuracy ?? 0) <= rules.nearbyRadiusMeters;
  const nearby: ModelEvent = {
    detailType: 'TrainerNearby',
    detail: { ...parties(session), time: iso(nowMs), distanceMeters: Math.round(distance) },
  };
  const after: Journey = {
    ...journey,
    last: taken,
    lastNumbered: numbered(journey.lastNumbered, { sequence, atMs: nowMs }),
    problem: null,
    dueInMs: null,
    wasNearby: journey.wasNearby || isNear,
  };
  return {
    ...recordedAnswer(situation, nowMs, null, rules),
    state: { ...situation.state, journey: after },
    events: isNear && !journey.wasNearby ? [nearby] : [],
  };
}

/** After an update without a sequence, a duplicate of the one before it may get another nextUpdateMs. */
function numbered(
  before: Journey['lastNumbered'],
  { sequence, ...update }: { sequence: number | undefined; atMs: number; heartbeat?: string },
): Journey['lastNumbered'] {
  if (sequence !== undefined) return { sequence, ...update, nextUpdateMs: null };
  return before && { ...before, nextUpdateMs: null };
}

/** nextUpdateMs: of the first answer; null where this is the first, or the first was not received. */
function recordedAnswer(
  { session, arrivalMs }: Situation,
  atMs: number,
  nextUpdateMs: number | null,
  rules: Rules,
): Pick<Decision, 'answer' | 'arrivalMs' | 'events'> {
  const isSane = (value: unknown) =>
    Number.isInteger(value) &&
    Number(value) >= rules.updateIntervalMs &&
    Number(value) <= Math.max(rules.updateIntervalMs, LONGEST_UPDATE_MS);
  const data = {
    sessionId: session?.sessionId,
    timestamp: iso(atMs),
    ttl: rules.locationTtlMs / 1000,
    nextUpdateMs: nextUpdateMs ?? isSane,
  };
  return { answer: { status: 201, data }, arrivalMs, events: [] };
}

/** The contract leaves nextUpdateMs open, so the model takes it from the answer. */
export function withNextUpdate(journey: Journey | null, nextUpdateMs: unknown): Journey | null {
  if (journey?.dueInMs !== null || typeof nextUpdateMs !== 'number') return journey;
  const { last, lastNumbered, cameAtMs } = journey;
  return {
    ...journey,
    dueInMs: nextUpdateMs,
    last: last?.atMs === cameAtMs ? { ...last, nextUpdateMs } : last,
    lastNumbered: lastNumbered?.atMs === cameAtMs ? { ...lastNumbered, nextUpdateMs } : lastNumbered,
  };
}

function isCoarse({ accuracy }: AcceptedPosition, rules: Rules): boolean {
  return accuracy !== undefined && accuracy > rules.coarseAccuracyMeters;
}

function readPosition(body: UpdateBody, nowMs: number, ageMs: number): AcceptedPosition {
  // Null, negative numbers and what is beyond a circle mean unknown.
  const measured = (value: unknown, most = Infinity) =>
    typeof value === 'number' && value >= 0 && value <= most ? value : undefined;
  return {
    latitude: Number(body.latitude),
    longitude: Number(body.longitude),
    accuracy: measured(body.accuracy),
    speed: measured(body.speed),
    heading: measured(body.heading, 360),
    sequence: typeof body.sequence === 'number' ? body.sequence : undefined,
    atMs: nowMs,
    fixMs: nowMs - ageMs,
    seenMs: nowMs - ageMs,
    nextUpdateMs: null,
  };
}

/** Undefined: the update is a position, or nothing valid. */
function heartbeatOf({ latitude, longitude, still, problem }: UpdateBody): string | undefined {
  if ((latitude ?? longitude ?? null) !== null) return undefined;
  return typeof problem === 'string' ? problem : still === true ? 'still' : undefined;
}

function isOfItsForm(body: UpdateBody): boolean {
  const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
  const isAngle = (value: unknown, most: number) => isNumber(value) && Math.abs(value) <= most;
  const isCount = (value: unknown) => Number.isSafeInteger(value ?? 0) && Number(value ?? 0) >= 0;
  const heartbeat = heartbeatOf(body);
  if (heartbeat !== undefined) return heartbeats.includes(heartbeat) && isCount(body.sequence);
  return (
    isAngle(body.latitude, 90) &&
    isAngle(body.longitude, 180) &&
    !(body.latitude === 0 && body.longitude === 0) &&
    [body.accuracy, body.speed, body.heading, body.ageMs].every((value) => isNumber(value ?? 0)) &&
    isCount(body.sequence) &&
    typeof (body.mocked ?? false) === 'boolean'
  );
}
