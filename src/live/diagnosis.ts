import type { EndReason } from '../contract/events.js';
import type { Diagnosis, Verdict } from '../contract/fleet.js';
import type { TrainerProblem } from '../contract/requests.js';
import { isoTime } from '../journeys/iso-time.js';
import type { HistoryEntry, JourneyHistory } from '../journeys/journey-history.js';
import type { LiveLocation } from '../journeys/journey.js';

/** How much later than due an update may be. */
const SILENT_AFTER_MS = 20_000;
/** Refusals before that have been overcome. */
const RECENT_MS = 60_000;
/** One refusal may be a delayed request. */
const SOME_REFUSALS = 2;
export const WATCHED_WITHIN_MS = 60_000;

/** What is known of an active journey, and the limits of the settings. */
export interface Evidence {
  nowMs: number;
  startedAtMs: number;
  hasHome: boolean;
  location: LiveLocation | null;
  problem: TrainerProblem | null;
  history: JourneyHistory | null;
  watchedMs: number | null;
  watchRefusedMs: number | null;
  coarseAccuracyMeters: number;
  maxSpeedKmh: number;
  updateIntervalMs: number;
}

const problemMessages: Record<TrainerProblem, string> = {
  noFix: "The trainer's phone has no GPS fix: ask the trainer to go outdoors or to turn location on.",
  permission: "The trainer's app may not use the location: ask the trainer to allow it in the settings.",
  reducedAccuracy:
    'The trainer allows only an approximate location: ask the trainer to allow the precise one.',
  lowPower:
    "The trainer's phone saves battery and does not locate: ask the trainer to turn battery saving off.",
};

/** Why a student may not see the trainer move, the most important reason first; `ok` if nothing is wrong. */
export function diagnose(evidence: Evidence): Diagnosis[] {
  const { problem, location, hasHome } = evidence;
  const found = [
    ...silence(evidence),
    ...(problem === null ? [] : [of('phoneProblem', problemMessages[problem])]),
    ...refusals(evidence),
    ...coarse(evidence),
  ];
  if (found.length === 0 && location === null) found.push(waiting(evidence));
  if (!hasHome) {
    const message =
      'The session has no readable home: there is no arrival time, and the trainer cannot arrive.';
    found.push(of('homeUnreadable', message));
  }
  found.push(...watching(evidence));
  return found.length > 0 ? found : [of('ok', 'Positions arrive and the student sees them.')];
}

export function diagnoseEnd(reason: EndReason, endedAtMs: number, by?: HistoryEntry['by']): Diagnosis {
  const how = {
    arrived: 'the trainer arrived',
    cancelled:
      by === undefined ? 'it was cancelled' : `${by === 'admin' ? 'an admin' : 'the trainer'} cancelled it`,
    timeout: 'it reached its time limit',
  } satisfies Record<EndReason, string>;
  return of('ended', `The journey ended at ${isoTime(endedAtMs)}: ${how[reason]}.`);
}

function of(verdict: Verdict, message: string): Diagnosis {
  return { verdict, message };
}

/** The phone was last heard with an accepted or a refused update. */
function silence({ nowMs, startedAtMs, location, history, updateIntervalMs }: Evidence): Diagnosis[] {
  const refusedMs = history?.entries.map(({ kind, lastAtMs }) => (kind === 'refused' ? lastAtMs : 0)) ?? [];
  // Another version may have accepted the location without a history.
  const heardMs = Math.max(history?.lastUpdateMs ?? 0, location?.timestampMs ?? 0, ...refusedMs);
  const silentMs = nowMs - Math.max(heardMs, startedAtMs);
  if (silentMs <= (history?.nextUpdateMs ?? updateIntervalMs) + SILENT_AFTER_MS) return [];
  const what = heardMs < startedAtMs ? 'nothing since the start,' : 'nothing for';
  const message = `The trainer's phone has sent ${what} ${seconds(silentMs)}: it is off or offline, or the app is closed.`;
  return [of('noUpdateReceived', message)];
}

function waiting({ nowMs, startedAtMs }: Evidence): Diagnosis {
  const message = `The journey started ${seconds(nowMs - startedAtMs)} ago and has no position yet.`;
  return of('waitingForFirstPosition', message);
}

interface Refusals {
  last: HistoryEntry;
  history: JourneyHistory;
  maxSpeedKmh: number;
  updateIntervalMs: number;
}

/** By code and reason, in the order in which the agent should see them. */
const refusalCauses: Record<string, (refusals: Refusals) => [verdict: Verdict, why: string]> = {
  'LOCATION_MOCKED input': () => [
    'refusedMocked',
    'the phone sends mock locations: ask the trainer to remove the fake GPS app',
  ],
  'LOCATION_IMPLAUSIBLE speed': ({ last, maxSpeedKmh }) => [
    'refusedImplausible',
    `they imply a speed over ${maxSpeedKmh} km/h, the last one by ${last.overLimit ?? 0} m`,
  ],
  'LOCATION_STALE sequence': ({ last, history }) =>
    history.accepted > (last.acceptedBefore ?? 0)
      ? ['secondPhone', 'a second phone sends for this session: ask the trainer to use only one']
      : [
          'refusedStale',
          `the app counts below sequence ${history.lastSequence ?? 0}: ask the trainer to restart it`,
        ],
  'LOCATION_STALE age': () => ['refusedStale', 'the phone sends old positions'],
  'RATE_LIMITED otherSession': () => [
    'refusedRate',
    'the trainer also sends for another session: ask the trainer to end the other journey',
  ],
  'RATE_LIMITED tooFrequent': ({ updateIntervalMs }) => [
    'refusedRate',
    `the phone sends more often than every ${updateIntervalMs / 1_000} s: the app is outdated, or runs on two phones`,
  ],
  'VALIDATION_FAILED input': () => [
    'refusedInvalid',
    'they are invalid, for example 0,0 from a phone without a fix: ask the trainer to update the app',
  ],
};

/** Each kind of refusal that goes on. */
function refusals({ nowMs, history, ...limits }: Evidence): Diagnosis[] {
  if (history === null) return [];
  const isGoingOn = ({ kind, lastAtMs, count }: HistoryEntry) =>
    kind === 'refused' && nowMs - lastAtMs <= RECENT_MS && count >= SOME_REFUSALS;
  const entries = history.entries.filter(isGoingOn);
  return Object.entries(refusalCauses).flatMap(([name, causeOf]) => {
    const last = entries.findLast(({ code, reason }) => `${code} ${reason}` === name);
    if (last === undefined) return [];
    const [verdict, why] = causeOf({ last, history, ...limits });
    return [of(verdict, `${shareOf(last, history)} updates were refused because ${why}.`)];
  });
}

/** "3 of the last 5": all updates since the first of these refusals. */
function shareOf(refusal: HistoryEntry, { accepted, entries }: JourneyHistory): string {
  const others = entries.filter(
    (entry) => entry.kind === 'refused' && entry !== refusal && entry.lastAtMs >= refusal.atMs,
  );
  const updates = others.reduce((sum, { count }) => sum + count, accepted - (refusal.acceptedBefore ?? 0));
  return `${refusal.count} of the last ${refusal.count + updates}`;
}

function coarse({ nowMs, location, history, coarseAccuracyMeters }: Evidence): Diagnosis[] {
  const { accuracy } = location ?? {};
  if (accuracy === undefined || accuracy <= coarseAccuracyMeters) return [];
  const preciseMs = history?.lastPreciseMs ?? null;
  if (preciseMs !== null && nowMs - preciseMs <= RECENT_MS) return [];
  const message = `Only coarse positions arrive, the last one within ${Math.round(accuracy)} m: ask the trainer to go outdoors or to allow the precise location.`;
  return [of('coarseOnly', message)];
}

function watching({ nowMs, startedAtMs, watchedMs, watchRefusedMs }: Evidence): Diagnosis[] {
  const isRecent = (ms: number | null) => ms !== null && ms >= startedAtMs && nowMs - ms <= WATCHED_WITHIN_MS;
  if (isRecent(watchedMs)) return [];
  const found: Diagnosis[] = [];
  if (isRecent(watchRefusedMs)) {
    const message =
      'A student of another session was refused: check with which account the student is signed in.';
    found.push(of('studentForbidden', message));
  }
  const message =
    "The student's app has not asked for the position in the last minute: it is closed or offline.";
  found.push(of('studentNotPolling', message));
  return found;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`;
}
