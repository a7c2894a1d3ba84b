import type { ErrorCode } from '../contract/errors.js';
import type { EndReason } from '../contract/events.js';
import type { Diagnosis, RefusalReason, Verdict } from '../contract/fleet.js';
import type { TrainerProblem } from '../contract/requests.js';
import { isoTime } from '../journeys/iso-time.js';
import type { HistoryEntry, JourneyHistory } from '../journeys/journey-history.js';
import type { LiveLocation } from '../journeys/journey.js';

/** A phone is asked for an update every 15 s at the latest. */
const SILENT_AFTER_MS = 30_000;
/** Refusals before that have been overcome. */
const RECENT_MS = 60_000;
/** One refusal may be a delayed request. */
const SOME_REFUSALS = 2;
const WATCHED_WITHIN_MS = 60_000;

/** What is known of a journey. The limits are of the settings. */
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
  noFix: "The trainer's phone reports that it has no GPS fix: ask the trainer to go outdoors or to switch location on.",
  permission: "The trainer's app has lost the permission to use the location: ask the trainer to allow it in the settings.",
  reducedAccuracy: 'The trainer allows only an approximate location: ask the trainer to allow the precise one.',
  lowPower: "The trainer's phone saves battery and has stopped locating: ask the trainer to switch battery saving off.",
};

/** Why a student may not see the trainer move, the most important reason first; `ok` if nothing is wrong. */
export function diagnose(evidence: Evidence): Diagnosis[] {
  const found = [
    silence(evidence),
    evidence.problem && of('phoneProblem', problemMessages[evidence.problem]),
    ...refusals(evidence),
    coarse(evidence),
    evidence.hasHome
      ? null
      : of('homeUnreadable', 'The session has no readable home: no distance and no arrival time are shown, and the trainer cannot report the arrival.'),
    ...watching(evidence),
  ].filter((diagnosis) => diagnosis !== null);
  return found.length > 0 ? found : [of('ok', 'Positions arrive and the student sees them.')];
}

export function diagnoseEnd(reason: EndReason, endedAtMs: number, by?: HistoryEntry['by']): Diagnosis[] {
  const how = {
    arrived: 'the trainer reported the arrival',
    cancelled: by === 'admin' ? 'an admin cancelled it' : by === undefined ? 'it was cancelled' : 'the trainer cancelled it',
    timeout: 'it reached its time limit',
  } satisfies Record<EndReason, string>;
  return [of('ended', `The journey ended at ${isoTime(endedAtMs)}: ${how[reason]}.`)];
}

function of(verdict: Verdict, message: string): Diagnosis {
  return { verdict, message };
}

/** By the last time at which the phone was heard, also with a refused update. */
function silence({ nowMs, startedAtMs, history }: Evidence): Diagnosis | null {
  const heardMs = Math.max(history?.lastUpdateMs ?? 0, history?.lastRefusal?.atMs ?? 0);
  const silentMs = nowMs - Math.max(heardMs, startedAtMs);
  if (silentMs > SILENT_AFTER_MS) {
    const what = heardMs < startedAtMs ? 'has sent nothing since the start' : 'has sent nothing';
    return of(
      'noUpdateReceived',
      `The trainer's phone ${what}, for ${seconds(silentMs)}: it is off, without network, or the app was closed.`,
    );
  }
  if (heardMs >= startedAtMs) return null;
  return of('waitingForFirstPosition', `The journey started ${seconds(silentMs)} ago and waits for its first position.`);
}

/** Each kind of refusal that still goes on. */
function refusals(evidence: Evidence): (Diagnosis | null)[] {
  const { nowMs, history, maxSpeedKmh, updateIntervalMs } = evidence;
  if (history === null) return [];
  const burst = (code: ErrorCode, ...reasons: RefusalReason[]) =>
    history.entries.findLast(
      (entry) =>
        entry.code === code &&
        (entry.reason === undefined || reasons.length === 0 || reasons.includes(entry.reason)) &&
        nowMs - entry.lastAtMs <= RECENT_MS &&
        entry.count >= SOME_REFUSALS,
    );
  const share = (code: ErrorCode) => `${history.refused[code] ?? 0} of ${updatesOf(history)} updates were refused`;
  const { lastRefusal } = history;
  const over = lastRefusal?.code === 'LOCATION_IMPLAUSIBLE' ? `, the last one ${lastRefusal.overLimit} m too far` : '';
  return [
    burst('LOCATION_MOCKED') === undefined
      ? null
      : of('refusedMocked', `${share('LOCATION_MOCKED')} because the phone sends mock locations: ask the trainer to remove the fake GPS app.`),
    burst('LOCATION_IMPLAUSIBLE') === undefined
      ? null
      : of('refusedImplausible', `${share('LOCATION_IMPLAUSIBLE')} because they imply a speed over ${maxSpeedKmh} km/h${over}.`),
    outOfOrder(history, burst('LOCATION_STALE', 'sequence'), share('LOCATION_STALE')),
    burst('LOCATION_STALE', 'age') === undefined
      ? null
      : of('refusedStale', `${share('LOCATION_STALE')} because the phone sends old positions.`),
    tooFrequent(burst('RATE_LIMITED', 'otherSession') ?? burst('RATE_LIMITED', 'tooFrequent'), share('RATE_LIMITED'), updateIntervalMs),
    burst('VALIDATION_FAILED') === undefined
      ? null
      : of('refusedInvalid', `${share('VALIDATION_FAILED')} because their content is invalid, for example 0,0 from a phone without a fix.`),
  ];
}

function updatesOf({ accepted, refused }: JourneyHistory): number {
  return Object.values(refused).reduce((sum, count) => sum + count, accepted);
}

/** Two phones interrupt each other; one that restarted is refused only. */
function outOfOrder(history: JourneyHistory, burst: HistoryEntry | undefined, share: string): Diagnosis | null {
  if (burst === undefined) return null;
  return (history.lastUpdateMs ?? 0) >= burst.atMs
    ? of('secondPhone', `${share} because a second phone of the trainer sends for this session: ask the trainer to use one phone only.`)
    : of('refusedStale', `${share} because the app counts below its last sequence ${history.lastSequence ?? 0}: ask the trainer to restart the app.`);
}

function tooFrequent(burst: HistoryEntry | undefined, share: string, intervalMs: number): Diagnosis | null {
  if (burst === undefined) return null;
  const every = `more often than every ${intervalMs / 1_000} s`;
  return burst.reason === 'otherSession'
    ? of('refusedRate', `${share} because the trainer also sends for another session: ask the trainer to end the other journey.`)
    : of('refusedRate', `${share} because the phone sends ${every}: the app may be outdated, or run on two phones.`);
}

function coarse({ nowMs, location, history, coarseAccuracyMeters }: Evidence): Diagnosis | null {
  const { accuracy } = location ?? {};
  if (accuracy === undefined || accuracy <= coarseAccuracyMeters) return null;
  const preciseMs = history?.lastPreciseMs ?? null;
  if (preciseMs !== null && nowMs - preciseMs <= RECENT_MS) return null;
  return of('coarseOnly', `Only coarse positions arrive, the last one within ${Math.round(accuracy)} m: the phone has no GPS fix.`);
}

function watching({ nowMs, startedAtMs, watchedMs, watchRefusedMs }: Evidence): (Diagnosis | null)[] {
  const isWatching = watchedMs !== null && watchedMs >= startedAtMs && nowMs - watchedMs <= WATCHED_WITHIN_MS;
  if (isWatching) return [];
  const wasRefused = watchRefusedMs !== null && nowMs - watchRefusedMs <= WATCHED_WITHIN_MS;
  return [
    wasRefused
      ? of('studentForbidden', 'A student who does not belong to this session was refused: check which account the student is signed in with.')
      : null,
    of('studentNotPolling', "The student's app has not asked for the position in the last minute: it is closed or without network."),
  ];
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`;
}
