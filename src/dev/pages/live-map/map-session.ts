import type { GeoPoint } from '../../simulation/places.js';
import type { StreetGrid } from '../../simulation/streets.js';

/** A session on the live map, with tokens for both sides. */
export interface MapSession {
  id: string;
  trainerId: string;
  /** No simulated trainer drives to it. */
  isFree: boolean;
  trainerName: string;
  studentName: string;
  subject: string;
  /** Where the student lives, in words. */
  place: string;
  home: GeoPoint | null;
  /** Those of the quarter. */
  streets: StreetGrid;
  trainerToken: string;
  studentToken: string;
}

export interface MapTiles {
  url: string;
  attribution: string;
}

export interface MapSettings {
  /** A new one after a restart, when earlier tokens are invalid. */
  runId: string;
  serviceUrl: string;
  adminToken: string;
  /** Null: only the drawn streets. */
  tiles: MapTiles | null;
  sessions: MapSession[];
}

/** An event of the bus. */
export interface MapEvent {
  number: number;
  receivedAt: string;
  detailType: string;
  detail: Record<string, unknown>;
}
