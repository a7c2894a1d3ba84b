import type { GeoPoint } from '../../simulation/places.js';
import type { StreetGrid } from '../../simulation/streets.js';

/** A session as the live map gets it from the runner, with tokens to act for both sides. */
export interface MapSession {
  id: string;
  /** Free: only whoever has the page open drives to it. */
  isFree: boolean;
  trainerName: string;
  /** Where the student lives, in words. */
  place: string;
  home: GeoPoint | null;
  /** Of the quarter. */
  streets: StreetGrid;
  trainerToken: string;
  studentToken: string;
}

export interface MapTiles {
  url: string;
  attribution: string;
}

export interface MapSettings {
  /** Another one after the runner was started anew: tokens of before mean nothing then. */
  runId: string;
  serviceUrl: string;
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
