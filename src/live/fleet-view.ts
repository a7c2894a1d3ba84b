import type { DiagnosedJourney, FleetJourney, JourneyDiagnostics, TimelineEntry } from '../contract/fleet.js';
import { isoTime } from '../journeys/iso-time.js';
import type { HistoryEntry, HistoryReading, JourneyHistory } from '../journeys/journey-history.js';
import type { ActiveState, EndedJourney } from '../journeys/journey.js';
import type { Cadence } from './cadence.js';
import { diagnose, diagnoseEnd, WATCHED_WITHIN_MS, type Evidence } from './diagnosis.js';
import { activeView } from './live-view.js';

const MAX_TIMELINE = 50;

export function fleetJourney(state: ActiveState, cadence: Cadence): FleetJourney {
  const { journey } = state;
  const { freshness, ageMs, distanceMeters, etaSeconds, trainerProblem, location } = activeView(
    state,
    cadence,
  );
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
  const { startedAtMs, home } = journey;
  const { watchedMs, watchRefusedMs } = reading;
  const history = reading.history?.startedAtMs === startedAtMs ? reading.history : null;
  const evidence = { nowMs, startedAtMs, location, problem, history, watchedMs, watchRefusedMs };
  return {
    ...fleetJourney(state, cadence),
    ...{ isActive: true, endedAt: null, endedReason: null },
    diagnosis: diagnose({ ...evidence, hasHome: home !== null, ...limits }),
    diagnostics: diagnosticsOf({ ...reading, history }),
    timeline: timelineOf(history),
  };
}

export function endedJourney(ended: EndedJourney, reading: HistoryReading): DiagnosedJourney {
  const { sessionId, trainerId, studentId, endedAtMs, reason } = ended;
  const end = reading.history?.end ?? null;
  // Another end is of an earlier journey of the session.
  const history = end === null || end.endedAtMs === endedAtMs ? reading.history : null;
  const { by } = history?.entries.findLast(({ kind }) => kind === reason) ?? {};
  return {
    ...{ sessionId, trainerId, studentId, isActive: false },
    ...{ startedAt: timeOrNull(history?.startedAtMs), expiresAt: null },
    ...{ endedAt: isoTime(endedAtMs), endedReason: reason },
    ...{
      freshness: null,
      ageMs: null,
      distanceMeters: null,
      etaSeconds: null,
      trainerProblem: null,
      location: null,
    },
    diagnosis: [diagnoseEnd(reason, endedAtMs, by)],
    diagnostics: diagnosticsOf({ ...reading, history }),
    timeline: timelineOf(history),
  };
}

function diagnosticsOf({ history, nowMs, watchedMs }: HistoryReading): JourneyDiagnostics {
  const { lastUpdateMs = null, nextUpdateMs = null, end = null } = history ?? {};
  const isDue = lastUpdateMs !== null && nextUpdateMs !== null && end === null;
  const lastWatchedMs = watchedMs !== null && watchedMs >= (history?.startedAtMs ?? 0) ? watchedMs : null;
  return {
    acceptedUpdates: history?.accepted ?? 0,
    refusedUpdates: history?.refused ?? {},
    lastRefusal: history && lastRefusalOf(history),
    reanchors: history?.reanchors ?? 0,
    lastSequence: history?.lastSequence ?? null,
    lastUpdateAt: timeOrNull(lastUpdateMs),
    nextUpdateDueAt: isDue ? isoTime(lastUpdateMs + nextUpdateMs) : null,
    watchers: lastWatchedMs !== null && nowMs - lastWatchedMs <= WATCHED_WITHIN_MS ? 1 : 0,
    lastWatchedAt: timeOrNull(lastWatchedMs),
    events: history === null ? [] : eventsOf(history),
  };
}

function lastRefusalOf({ entries }: JourneyHistory): JourneyDiagnostics['lastRefusal'] {
  const refusals = entries.filter(({ kind }) => kind === 'refused');
  const last = refusals.sort((one, other) => one.lastAtMs - other.lastAtMs).at(-1);
  if (last?.code === undefined) return null;
  const { code, reason, lastAtMs, overLimit } = last;
  return {
    ...{ code, at: isoTime(lastAtMs) },
    ...(reason && { reason }),
    ...(overLimit !== undefined && { overLimit }),
  };
}

function eventsOf({ entries, staleEvents }: JourneyHistory): JourneyDiagnostics['events'] {
  const last = (...kinds: HistoryEntry['kind'][]) => entries.findLast(({ kind }) => kinds.includes(kind));
  const found = [
    ['TrainerJourneyStarted', last('started')],
    ['TrainerLocationStale', staleEvents],
    ['TrainerNearby', last('nearby')],
    ['TrainerJourneyEnded', last('arrived', 'cancelled', 'timeout')],
  ] as const;
  return found.flatMap(([type, entry]) =>
    entry ? [{ type, at: isoTime(entry.lastAtMs), count: entry.count }] : [],
  );
}

function timelineOf(history: JourneyHistory | null): TimelineEntry[] {
  return (history?.entries ?? []).slice(-MAX_TIMELINE).map(shownEntry);
}

function shownEntry({ kind, atMs, lastAtMs, count, code, reason, problem, by }: HistoryEntry): TimelineEntry {
  return {
    ...{ kind, at: isoTime(atMs) },
    ...(count > 1 && { lastAt: isoTime(lastAtMs), count }),
    ...(code && { code }),
    ...(reason && { reason }),
    ...(problem && { problem }),
    ...(by && { by }),
  };
}

function timeOrNull(ms: number | null | undefined): string | null {
  return ms === null || ms === undefined ? null : isoTime(ms);
}
