import type { LiveJourney, Location, TrainerProblem } from './contract.js';
import type { Ended } from './journey-api-error.js';

/** waiting: the journey has not started, or has no position yet. */
export type WatcherState = 'waiting' | 'live' | 'delayed' | 'stale' | 'reconnecting' | 'ended';

/** What the app shows; the same object until the next event `change`. */
export interface Watched {
  state: WatcherState;
  /** The last known position, also when it is old, without a network, or after the end. */
  position: Location | null;
  /** Its age in milliseconds. */
  ageMs: number | null;
  /** Radius in metres around the position; grows with its age. Null if the phone reported no accuracy. */
  uncertaintyMeters: number | null;
  /** Seconds until the arrival, from now. Null without a reliable estimate, and while the position is stale. */
  etaSeconds: number | null;
  /** Four of five arrivals are between these two. */
  etaLowSeconds: number | null;
  etaHighSeconds: number | null;
  /** Why the trainer's phone has no position, by the last answer. Null without a problem. */
  trainerProblem: TrainerProblem | null;
  /** Seconds for which the trainer had been standing at the last answer. Null while moving, and while the position is stale. */
  stillSeconds: number | null;
  /** The service's last answer, with distance and arrival estimate as of then. */
  journey: LiveJourney | null;
  /** Why it ended; null before. */
  ended: (Ended & { endedAt?: string | undefined }) | null;
}

type Derived = Omit<Watched, 'state' | 'position' | 'ageMs' | 'journey' | 'ended'>;

/** In m/s, as the service does: one who stood may have walked on, and 50 km/h where the phone gave no speed. */
const MIN_SPEED = 1.5;
const ASSUMED_SPEED = 13.9;

/** What follows from the last answer when its position is that old. */
export function derivedFrom(journey: LiveJourney | null, ageMs: number | null, isStale: boolean): Derived {
  const seconds = Math.max(0, (ageMs ?? 0) - (journey?.ageMs ?? 0)) / 1_000;
  const { uncertaintyMeters = null, location, isActive, trainerProblem, stillSeconds } = journey ?? {};
  const speed = Math.max(location?.speed ?? ASSUMED_SPEED, MIN_SPEED);
  const isOver = isStale || !isActive || (journey?.etaHighSeconds ?? 0) <= seconds;
  const left = (eta: number | null = null) =>
    isOver || eta === null ? null : Math.max(0, Math.round(eta - seconds));
  return {
    uncertaintyMeters: uncertaintyMeters && Math.round(uncertaintyMeters + speed * seconds),
    etaSeconds: left(journey?.etaSeconds),
    etaLowSeconds: left(journey?.etaLowSeconds),
    etaHighSeconds: left(journey?.etaHighSeconds),
    trainerProblem: (isActive && trainerProblem) || null,
    stillSeconds: isActive && !isStale ? (stillSeconds ?? null) : null,
  };
}
