import { distanceMeters, type Coordinates } from './distance.js';

/** A position and when the phone fixed it (milliseconds, any one clock); accuracy in metres. */
export interface Fix extends Coordinates {
  accuracy?: number | undefined;
  fixMs: number;
}

/** How much of each position's accuracy counts for it when two are compared, in metres. */
const ACCURACY_CAP_METERS = 30;

/**
 * Whether a trainer can have come from one fix to a later one at no more than maxSpeedKmh: the distance less both
 * accuracies over the time between. Two fixes of the same time are plausible only where they are not apart. The rule of
 * the contract; scripts/record_positions.lua judges by the same one, and a test holds the two together.
 */
export function isPlausible(from: Fix, to: Fix, maxSpeedKmh: number): boolean {
  const apart = distanceMeters(from, to) - allowance(from) - allowance(to);
  // metres per millisecond * 3600 = km/h; multiplied out, so that no time between the two divides by zero.
  return apart <= 0 || apart * 3600 <= maxSpeedKmh * (to.fixMs - from.fixMs);
}

function allowance(fix: Fix): number {
  return Math.min(fix.accuracy ?? 0, ACCURACY_CAP_METERS);
}
