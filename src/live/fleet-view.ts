import type { DiagnosedJourney, FleetJourney, JourneyDiagnostics, TimelineEntry } from '../contract/fleet.js';
import type { EndReason } from '../contract/events.js';
import { isoTime } from '../journeys/iso-time.js';
import type { HistoryEntry, HistoryReading, JourneyHistory } from '../journeys/journey-history.js';
import { STALE_AFTER_MS, type ActiveState, type EndedJourney } from '../journeys/journey.js';
import type { Cadence } from './cadence.js';
import { diagnose, diagnoseEnd, type Evidence } from './diagnosis.js';
import { activeView } from './live-view.js';

const WATCHED_WITHIN_MS = 60_000;
const MAX_TIMELINE = 50;

const endEvents = { arrived: 'arrived', cancelled: 'cancelled', timeout: 'expired' } as const;

export function fleetJourney(state: ActiveState, cadence: Cadence): FleetJourney {
  const { journey } = state;
  const { freshness, ageMs, distanceMeters, etaSeconds, trainerProblem, location } = activeView(state, cadence);
  return {
    sessionId: journey.sessionId,
    trainerId: journey.trainerId,
    studentId: journey.studentId,
    startedAt: isoTime(journey.startedAtMs),
    expiresAt: isoTime(journey.expiresAtMs),
    ...{ freshness, ageMs, distanceMeters, etaSeconds, trainerProblem, location },
  };
}

export type DiagnosisLimits = Pick<Evidence, 'coarseAccuracyMeters' | 'maxSpeedKmh' | 'updateIntervalMs'>;

export function diagnosedJourney(
  state: ActiveState,
  reading: HistoryReading,
  cadence: Cadence,
  limits: DiagnosisLimits,
): DiagnosedJourney {
  const { journey, location, problem, nowMs } = state;
  const { startedAtMs } = journey;
  const { watchedMs, watchRefusedMs } = reading;
  const history = reading.history?.startedAtMs === startedAtMs ? reading.history : null;
  const evidence = { nowMs, startedAtMs, location, problem, history, watchedMs, watchRefusedMs };
  return {
    ...fleetJourney(state, cadence),
    ...{ isActive: true, endedAt: null, endedReason: null },
    diagnosis: diagnose({ ...evidence, hasHome: journey.home !== null, ...limits }),
    diagnostics: diagnosticsOf({ ...reading, history }, startedAtMs),
    timeline: timelineOf(history, staleSince(state)),
  };
}

export function endedJourney(ended: EndedJourney, reading: HistoryReading): DiagnosedJourney {
  const { history } = reading;
  const { sessionId, trainerId, studentId, endedAtMs, reason } = ended;
  const end = history?.entries.findLast(({ kind }) => kind === endEvents[reason]);
  return {
    ...{ sessionId, trainerId, studentId, isActive: false },
    ...{ startedAt: history && isoTime(history.startedAtMs), expiresAt: null },
    ...{ endedAt: isoTime(endedAtMs), endedReason: reason },
    ...{ freshness: null, ageMs: null, distanceMeters: null, etaSeconds: null, trainerProblem: null, location: null },
    diagnosis: diagnoseEnd(reason, endedAtMs, end?.by),
    diagnostics: diagnosticsOf(reading, history?.startedAtMs ?? 0),
    timeline: timelineOf(history, []),
  };
}

/** The journey that a timeline without a journey:ended is of, if it has ended. */
export function endedOf(sessionId: string, history: JourneyHistory | null): EndedJourney | null {
  if (history?.end == null) return null;
  const reasons = Object.keys(endEvents) as EndReason[];
  const reason = reasons.find((each) => history.entries.some(({ kind }) => kind === endEvents[each]));
  return { sessionId, ...history.end, reason: reason ?? 'timeout' };
}

function diagnosticsOf(reading: HistoryReading, startedAtMs: number): JourneyDiagnostics {
  const { history, nowMs } = reading;
  const watchedMs = reading.watchedMs !== null && reading.watchedMs >= startedAtMs ? reading.watchedMs : null;
  const refusal = history?.lastRefusal ?? null;
  const { lastUpdateMs = null, nextUpdateMs = null } = history ?? {};
  return {
    acceptedUpdates: history?.accepted ?? 0,
    refusedUpdates: history?.refused ?? {},
    lastRefusal: refusal && {
      code: refusal.code,
      reason: refusal.reason,
      at: isoTime(refusal.atMs),
      overLimit: refusal.overLimit,
    },
    reanchors: history?.reanchors ?? 0,
    lastSequence: history?.lastSequence ?? null,
    lastUpdateAt: timeOrNull(lastUpdateMs),
    nextUpdateDueAt: lastUpdateMs === null || nextUpdateMs === null ? null : isoTime(lastUpdateMs + nextUpdateMs),
    watchers: watchedMs !== null && nowMs - watchedMs <= WATCHED_WITHIN_MS ? 1 : 0,
    lastWatchedAt: timeOrNull(watchedMs),
    events: history === null ? [] : eventsOf(history),
  };
}

function eventsOf({ entries, staleEvents }: JourneyHistory): JourneyDiagnostics['events'] {
  const last = (...kinds: HistoryEntry['kind'][]) => entries.findLast(({ kind }) => kinds.includes(kind));
  const found = [
    ['TrainerJourneyStarted', last('started'), 1],
    ['TrainerLocationStale', entries.findLast(({ kind, count }) => kind === 'stale' && count > 0), staleEvents],
    ['TrainerNearby', last('nearby'), 1],
    ['TrainerJourneyEnded', last('arrived', 'cancelled', 'expired'), 1],
  ] as const;
  return found.flatMap(([type, entry, count]) =>
    entry === undefined ? [] : [{ type, at: isoTime(entry.lastAtMs), count }],
  );
}

/** Written only when a student sees it or a position follows. */
function staleSince({ location, nowMs }: ActiveState): HistoryEntry[] {
  if (location === null || nowMs - location.fixMs <= STALE_AFTER_MS) return [];
  const atMs = location.fixMs + STALE_AFTER_MS;
  return [{ kind: 'stale', atMs, lastAtMs: atMs, count: 0 }];
}

function timelineOf(history: JourneyHistory | null, current: HistoryEntry[]): TimelineEntry[] {
  const recorded = history?.entries ?? [];
  const isKnown = recorded.some(({ kind, lastAtMs }) => kind === 'stale' && lastAtMs >= (current[0]?.atMs ?? Infinity));
  return [...recorded, ...(isKnown ? [] : current)].slice(-MAX_TIMELINE).map(shownEntry);
}

function shownEntry({ kind, atMs, lastAtMs, count, code, reason, problem, by }: HistoryEntry): TimelineEntry {
  const isCounted = kind === 'refused' || kind === 'reanchored' || kind === 'stale' || kind === 'problem';
  return {
    ...{ kind, at: isoTime(atMs) },
    ...(isCounted && { lastAt: isoTime(lastAtMs), count }),
    ...(code && { code }),
    ...(reason && { reason }),
    ...(problem && { problem }),
    ...(by && { by }),
  };
}

function timeOrNull(ms: number | null): string | null {
  return ms === null ? null : isoTime(ms);
}
