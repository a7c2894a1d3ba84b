import { distanceMeters, type Coordinates } from '../journeys/distance.js';
import { STALE_AFTER_MS, type Approach, type LiveLocation } from '../journeys/journey.js';

/** Seconds from now until the trainer is at the home; at least four of five arrivals fall between low and high. */
export interface ArrivalEstimate {
  lowSeconds: number;
  seconds: number;
  highSeconds: number;
}

/** Shorter than that a trainer may just have turned out of a yard. */
const SHORTEST_WATCH_SECONDS = 20;
/** A longer halt than a traffic light's: nobody knows when it ends. */
const LONGEST_HALT_SECONDS = 60;
/** Slower in m/s, or by a smaller part of the pace, nobody comes home but drives past it, or around it. */
const LEAST_CLOSING_SPEED = 0.3;
const LEAST_CLOSING_SHARE = 0.15;

/** Before a trainer has been watched, a city's average counts like so many seconds of it: 18 km/h with the halts. */
const USUAL_PACE = 5;
const USUAL_PACE_SECONDS = 20;
/** In m²/s: halts of half a minute at every third corner. */
const USUAL_UNSTEADINESS = 300;
const USUAL_UNSTEADINESS_SECONDS = 60;
/** The way over the straight line: 1 on a straight road, 4/pi = 1.27 on average through a grid of streets. */
const WAY_PER_DISTANCE = 1.2;
/** What no watching tells, as a standard deviation: how the streets lead home, and that they are others than so far. */
const UNKNOWN_ROADS = 0.12;
/** So many standard deviations to each side hold four fifths of a normal distribution. */
const DEVIATIONS = 1.28;
/** The farther away, the likelier faster roads are ahead; but they are not more than twice as fast. */
const FASTER_ROADS_PER_METER = 0.1 / 1_000;
const FASTEST_ROADS = Math.LN2;
/** A straight road, no halt and nothing to do at the door is always possible, a little faster than of late. */
const STRAIGHT_ON = 0.95;
/** An interval that reaches beyond three times the drive says nothing. */
const WIDEST = 1.1;

/** To park and to walk to the door: as long as that, give or take. */
const DOOR_SECONDS = 40;
const DOOR_SPREAD_SECONDS = 25;
/** Within that distance the car is parked already, and the rest is walked. */
const DOOR_METERS = 50;
/** Whoever is as near may tell of the arrival at any moment. */
const ARRIVING_METERS = 150;

/**
 * When the trainer arrives, as an interval; null where that cannot be said honestly: watched too briefly, standing for
 * long, not coming nearer, or no exact position for a minute.
 *
 * The way is gone at a pace that wanders: as in a Brownian motion with drift, its variance grows with the time (D. R. Cox
 * and H. D. Miller, "The Theory of Stochastic Processes", 1965, section 5.7: the first passage of a distance d at the
 * drift v takes d/v, with the variance d * unsteadiness / v³). The pace itself is a mean over the seconds watched, and as
 * uncertain. The constants are fitted to simulated drives; `tests/bench/arrival-estimates.ts` measures them.
 */
export function estimateArrival(
  location: LiveLocation,
  home: Coordinates,
  nowMs: number,
): ArrivalEstimate | null {
  const { approach, stillSeconds = 0 } = location;
  if (approach === undefined || !saysSomething(approach) || stillSeconds > LONGEST_HALT_SECONDS) return null;
  const exact = approach.reference ?? location;
  const ageMs = Math.max(0, nowMs - exact.fixMs);
  if (ageMs > STALE_AFTER_MS) return null;

  const distance = distanceMeters(exact, home);
  const { driveSeconds, spread } = drive(approach, distance);
  if (spread > WIDEST) return null;
  const doorSeconds = DOOR_SECONDS * Math.min(1, distance / DOOR_METERS);
  const later = Math.hypot(driveSeconds * (Math.exp(spread) - 1), DOOR_SPREAD_SECONDS);
  const fasterRoads = Math.min(distance * FASTER_ROADS_PER_METER, FASTEST_ROADS);
  const fasterSpread = Math.hypot(spread, fasterRoads);
  const sooner = Math.hypot(driveSeconds * (1 - Math.exp(-fasterSpread)), DOOR_SPREAD_SECONDS);

  // The arrival stays where it was foreseen until there is another position.
  const seconds = driveSeconds + doorSeconds - ageMs / 1_000;
  const highSeconds = Math.ceil(seconds + later);
  if (highSeconds <= 0) return null;
  const soonest = (STRAIGHT_ON * distance) / approach.closingSpeed - ageMs / 1_000;
  const low = Math.floor(Math.min(seconds - sooner, soonest));
  const lowSeconds = distance < ARRIVING_METERS ? 0 : Math.max(0, low);
  return { lowSeconds, seconds: Math.max(lowSeconds, Math.round(seconds)), highSeconds };
}

function saysSomething({ closingSpeed, pace, watchedSeconds }: Approach): boolean {
  return (
    watchedSeconds >= SHORTEST_WATCH_SECONDS &&
    closingSpeed >= Math.max(LEAST_CLOSING_SPEED, LEAST_CLOSING_SHARE * pace)
  );
}

/** How long the way takes, and by what factor, as a natural logarithm, it may be another time. */
function drive(approach: Approach, distance: number): { driveSeconds: number; spread: number } {
  const { watchedSeconds } = approach;
  const pace = weighed(approach.pace, watchedSeconds, USUAL_PACE, USUAL_PACE_SECONDS);
  const unsteadiness = weighed(
    approach.unsteadiness,
    watchedSeconds,
    USUAL_UNSTEADINESS,
    USUAL_UNSTEADINESS_SECONDS,
  );
  const driveSeconds = (distance * WAY_PER_DISTANCE) / pace;
  const ahead = 1 / (driveSeconds + DOOR_SECONDS);
  const behind = 1 / (watchedSeconds + USUAL_PACE_SECONDS);
  const wandering = (unsteadiness / pace ** 2) * (ahead + behind);
  return { driveSeconds, spread: DEVIATIONS * Math.sqrt(wandering + UNKNOWN_ROADS ** 2) };
}

function weighed(value: number, weight: number, otherValue: number, otherWeight: number): number {
  return (value * weight + otherValue * otherWeight) / (weight + otherWeight);
}
