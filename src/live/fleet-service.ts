import {
  formatCursor,
  type DiagnosedJourney,
  type FleetJourney,
  type FleetPage,
  type FleetQuery,
} from '../contract/fleet.js';
import { CorruptStateError } from '../journeys/errors.js';
import type { JourneyHistories } from '../journeys/journey-history.js';
import type { JourneyStore, LiveReading } from '../journeys/ports.js';
import type { Cadence } from './cadence.js';
import { diagnosedJourney, endedJourney, fleetJourney, type DiagnosisLimits } from './fleet-view.js';

/** Journeys that one call reads at most, and at once at least: with filters a page takes more than it shows. */
const MAX_READ = 1_000;
const MIN_AT_ONCE = 50;

export interface FleetServiceDependencies {
  store: Pick<JourneyStore, 'readLive'>;
  histories: Pick<JourneyHistories, 'partitions' | 'activeAfter' | 'read'>;
  cadence: () => Cadence;
  limits: DiagnosisLimits;
}

export type FleetPageOutcome = { kind: 'page'; page: FleetPage } | { kind: 'invalidCursor' };
export type DiagnosisOutcome = { kind: 'diagnosed'; journey: DiagnosedJourney } | { kind: 'notActive' };

/** All active journeys, and what is wrong with one, for support. Changes nothing. */
export class FleetService {
  readonly #dependencies: FleetServiceDependencies;

  constructor(dependencies: FleetServiceDependencies) {
    this.#dependencies = dependencies;
  }

  /** @throws StateUnavailableError */
  async list(query: FleetQuery): Promise<FleetPageOutcome> {
    const { store, histories, cadence } = this.#dependencies;
    const page: FleetPage = { journeys: [], nextCursor: null, unreadable: [] };
    let cursor = query.cursor ?? null;
    if (cursor !== null && cursor.partition >= histories.partitions) return { kind: 'invalidCursor' };
    const count = Math.max(query.limit, MIN_AT_ONCE);
    for (let read = 0; read < MAX_READ; read += count) {
      const found = await histories.activeAfter(cursor, count);
      const readings = await Promise.all(found.map(({ sessionId }) => readOrNull(store.readLive(sessionId))));
      for (const [index, entry] of found.entries()) {
        const reading = readings[index] ?? null;
        cursor = entry;
        if (reading === null) page.unreadable.push(entry.sessionId);
        else if (reading.kind === 'active') {
          const journey = fleetJourney(reading, cadence());
          if (isWanted(journey, query)) page.journeys.push(journey);
        }
        if (page.journeys.length === query.limit) {
          return { kind: 'page', page: { ...page, nextCursor: formatCursor(cursor) } };
        }
      }
      if (found.length < count) return { kind: 'page', page };
    }
    return { kind: 'page', page: { ...page, nextCursor: cursor && formatCursor(cursor) } };
  }

  /** @throws StateUnavailableError, CorruptStateError */
  async find(sessionId: string): Promise<DiagnosisOutcome> {
    const { store, histories, cadence, limits } = this.#dependencies;
    const [live, reading] = await Promise.all([store.readLive(sessionId), histories.read(sessionId)]);
    switch (live.kind) {
      case 'active':
        return { kind: 'diagnosed', journey: diagnosedJourney(live, reading, cadence(), limits) };
      case 'ended':
        return { kind: 'diagnosed', journey: endedJourney(live.journey, reading) };
      case 'inactive': {
        const end = reading.history?.end;
        if (!end) return { kind: 'notActive' };
        return { kind: 'diagnosed', journey: endedJourney({ sessionId, ...end }, reading) };
      }
    }
  }
}

function isWanted(journey: FleetJourney, { trainerId, studentId, freshness }: FleetQuery): boolean {
  return (
    (trainerId === undefined || trainerId === journey.trainerId) &&
    (studentId === undefined || studentId === journey.studentId) &&
    (freshness === undefined || freshness === (journey.freshness ?? 'none'))
  );
}

/** Null: unreadable, which must not hide the others. */
async function readOrNull(reading: Promise<LiveReading>): Promise<LiveReading | null> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof CorruptStateError) return null;
    throw error;
  }
}
