import { distanceMeters, type Coordinates } from '../journeys/distance.js';
import { STALE_AFTER_MS, type Approach, type LiveLocation } from '../journeys/journey.js';

/** Seconds from now until the arrival at the home; four of five arrivals fall between low and high. */
export interface ArrivalEstimate {
  lowSeconds: number;
  seconds: number;
  highSeconds: number;
}

/** Before that the trainer may still be leaving a car park. */
const MIN_WATCHED_SECONDS = 20;
/** Longer than a red light: nobody knows when the trainer drives on. */
const MAX_STILL_SECONDS = 60;
/** Below this speed in m/s, or share of the pace, the trainer passes by rather than approaches. */
const MIN_CLOSING_SPEED = 0.3;
const MIN_CLOSING_SHARE = 0.15;

/** Prior: the average pace in a city with stops, 18 km/h, weighted like this many observed seconds. */
const USUAL_PACE = 5;
const USUAL_PACE_SECONDS = 20;
/** Prior in m²/s: stops of half a minute at every third corner. */
const USUAL_UNSTEADINESS = 300;
const USUAL_UNSTEADINESS_SECONDS = 60;
/** Road distance over straight-line distance: 1 on a straight road, 4/pi on average in a street grid. */
const DETOUR_FACTOR = 1.2;
/** Relative standard deviation from the unknown roads ahead. */
const ROAD_UNCERTAINTY = 0.12;
/** Standard deviations to each side that contain 80 % of a normal distribution. */
const DEVIATIONS = 1.28;
/** Farther away, faster roads are likelier, up to twice as fast. */
const FASTER_ROADS_PER_METER = 0.1 / 1_000;
const FASTEST_ROADS = Math.LN2;
/** The fastest arrival: a straight road without a stop, slightly faster than lately. */
const DIRECT_SHARE = 0.95;
/** A wider interval, over three times the drive, is not useful. */
const MAX_SPREAD = 1.1;

/** Parking and walking to the door. */
const DOOR_SECONDS = 40;
const DOOR_SPREAD_SECONDS = 25;
/** Within this distance the car is already parked. */
const DOOR_METERS = 50;
/** This close, the trainer may report the arrival at any moment. */
const ARRIVING_METERS = 150;

/**
 * When the trainer arrives, as an interval; null without an honest estimate: observed too briefly, standing for long, not
 * approaching, or without a precise fix for a minute.
 *
 * The drive is a Brownian motion with drift, so its variance grows with time (D. R. Cox and H. D. Miller, "The Theory of
 * Stochastic Processes", 1965, section 5.7: the first passage of a distance d at drift v takes d/v with variance
 * d * unsteadiness / v³). The pace is a mean over the observed seconds and as uncertain. The constants are fitted to
 * simulated drives; `tests/bench/arrival-estimates.ts` measures the coverage.
 */
export function estimateArrival(
  location: LiveLocation,
  home: Coordinates,
  nowMs: number,
): ArrivalEstimate | null {
  const { approach, stillSeconds = 0 } = location;
  if (approach === undefined || !isApproaching(approach) || stillSeconds > MAX_STILL_SECONDS) return null;
  const exact = approach.reference ?? location;
  const ageMs = Math.max(0, nowMs - exact.fixMs);
  if (ageMs > STALE_AFTER_MS) return null;

  const distance = distanceMeters(exact, home);
  const { driveSeconds, spread } = drive(approach, distance);
  if (spread > MAX_SPREAD) return null;
  const doorSeconds = DOOR_SECONDS * Math.min(1, distance / DOOR_METERS);
  const later = Math.hypot(driveSeconds * (Math.exp(spread) - 1), DOOR_SPREAD_SECONDS);
  const fasterRoads = Math.min(distance * FASTER_ROADS_PER_METER, FASTEST_ROADS);
  const fasterSpread = Math.hypot(spread, fasterRoads);
  const sooner = Math.hypot(driveSeconds * (1 - Math.exp(-fasterSpread)), DOOR_SPREAD_SECONDS);

  // Until the next position the estimated time of arrival does not move.
  const seconds = driveSeconds + doorSeconds - ageMs / 1_000;
  const highSeconds = Math.ceil(seconds + later);
  if (highSeconds <= 0) return null;
  const soonest = (DIRECT_SHARE * distance) / approach.closingSpeed - ageMs / 1_000;
  const low = Math.floor(Math.min(seconds - sooner, soonest));
  const lowSeconds = distance < ARRIVING_METERS ? 0 : Math.max(0, low);
  return { lowSeconds, seconds: Math.max(lowSeconds, Math.round(seconds)), highSeconds };
}

function isApproaching({ closingSpeed, pace, watchedSeconds }: Approach): boolean {
  return (
    watchedSeconds >= MIN_WATCHED_SECONDS &&
    closingSpeed >= Math.max(MIN_CLOSING_SPEED, MIN_CLOSING_SHARE * pace)
  );
}

/** Seconds for the rest of the drive, and their spread as the natural logarithm of a factor. */
function drive(approach: Approach, distance: number): { driveSeconds: number; spread: number } {
  const { watchedSeconds } = approach;
  const pace = weightedMean(approach.pace, watchedSeconds, USUAL_PACE, USUAL_PACE_SECONDS);
  const unsteadiness = weightedMean(
    approach.unsteadiness,
    watchedSeconds,
    USUAL_UNSTEADINESS,
    USUAL_UNSTEADINESS_SECONDS,
  );
  const driveSeconds = (distance * DETOUR_FACTOR) / pace;
  const ahead = 1 / (driveSeconds + DOOR_SECONDS);
  const behind = 1 / (watchedSeconds + USUAL_PACE_SECONDS);
  const wandering = (unsteadiness / pace ** 2) * (ahead + behind);
  return { driveSeconds, spread: DEVIATIONS * Math.sqrt(wandering + ROAD_UNCERTAINTY ** 2) };
}

function weightedMean(value: number, weight: number, otherValue: number, otherWeight: number): number {
  return (value * weight + otherValue * otherWeight) / (weight + otherWeight);
}
