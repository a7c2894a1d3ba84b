import { planDrive, type Drive } from './drive.js';
import type { GeoPoint } from './places.js';
import { between, type Random, type Range } from './random.js';
import { planRoute } from './route.js';

/** What a trainer is going to do. */
export interface JourneyPlan {
  drive: Drive;
  /** When in the drive the trainer gives up; undefined: the trainer arrives. */
  cancelAfterMs: number | undefined;
}

const shareOfCancelled = 1 / 6;
const cancelledAt: Range = [0.2, 0.8];

export const longMeters: Range = [1_200, 3_500];
/** Driven within two minutes, even with red lights. */
export const shortMeters: Range = [280, 420];

/** @param streetAngle along which the streets run there, degrees clockwise from north */
export function planJourney(
  home: GeoPoint,
  streetAngle: number,
  lengthMeters: Range,
  random: Random,
): JourneyPlan {
  const drive = planDrive(planRoute(home, between(lengthMeters, random), streetAngle, random), random);
  const isCancelled = random() < shareOfCancelled;
  const share = between(cancelledAt, random);
  return { drive, cancelAfterMs: isCancelled ? drive.durationMs * share : undefined };
}
