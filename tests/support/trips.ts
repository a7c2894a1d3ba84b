import { planDrive } from '../../src/dev/simulation/drive.js';
import type { GeoPoint } from '../../src/dev/simulation/places.js';
import { onEarth, onPlane } from '../../src/dev/simulation/plane.js';
import { between, seededRandom, type Random, type Range } from '../../src/dev/simulation/random.js';
import { planRoute } from '../../src/dev/simulation/route.js';
import { distanceMeters, type Coordinates } from '../../src/journeys/distance.js';
import type { Position } from '../../src/journeys/journey.js';
import { realDrive } from './real-drives.js';

/** A drive to a home and the fixes of the phone. */
export interface Trip {
  home: Coordinates;
  durationMs: number;
  /** The phone's latest fix at a time since the start; null while it posts nothing. */
  fixAt(elapsedMs: number): { position: Position; ageMs: number } | null;
  /** The real place of the trainer. */
  placeAt(elapsedMs: number): Coordinates;
}

/**
 * Ways of different kinds, all by the simulation's drives with red lights, parking, tunnels and a receiver's error: a few
 * streets; a quarter of a city; across a city; first away from the home; one straight road; everything half as fast.
 */
export const tripKinds = ['near', 'city', 'far', 'detour', 'straight', 'slow'] as const;
export type TripKind = (typeof tripKinds)[number];

const HOME: GeoPoint = { latitude: 12.9716, longitude: 77.5946 };
const meters: Record<TripKind, Range> = {
  near: [280, 420],
  city: [1_200, 3_500],
  far: [4_500, 12_000],
  detour: [1_200, 3_500],
  straight: [800, 6_000],
  slow: [1_200, 3_500],
};
const slowness: Range = [1.3, 2];
const shareWithSpeed = 0.8;
const shareOfCoarse = 0.03;
const coarseMeters: Range = [120, 900];
const mostDelayMs = 800;

export function simulatedTrip(kind: TripKind, ...seeds: number[]): Trip {
  const random = seededRandom(tripKinds.indexOf(kind), ...seeds);
  const drive = planDrive(routeOf(kind, random), random);
  const scale = kind === 'slow' ? between(slowness, random) : 1;
  const durationMs = drive.durationMs * scale;
  const hasSpeed = random() < shareWithSpeed;
  const delayMs = Math.round(random() * mostDelayMs);
  const phone = seededRandom(0xf1, ...seeds);
  return {
    home: HOME,
    durationMs,
    placeAt: (elapsedMs) => drive.fixAt(Math.min(elapsedMs, durationMs) / scale),
    fixAt: (elapsedMs) => {
      const latest = drive.latestFixAt(Math.min(Math.max(0, elapsedMs - delayMs), durationMs) / scale);
      if (latest.ageMs > 0 && drive.tunnel?.phone === 'silent') return null;
      const { speed, ...fix } = latest.fix;
      const ageMs = Math.round(latest.ageMs * scale) + Math.min(delayMs, Math.round(elapsedMs));
      const position = { ...fix, ...(hasSpeed ? { speed: speed / scale } : {}) };
      return { position: phone() < shareOfCoarse ? coarse(position, phone) : position, ageMs };
    },
  };
}

/** A recorded drive to where it ends; undefined where the recording is not on this machine. */
export function realTrip(name: string): Trip | undefined {
  const fixes = realDrive(name);
  const home = fixes?.at(-1);
  if (fixes === undefined || home === undefined) return undefined;
  const latestAt = (elapsedMs: number) =>
    fixes.findLast(({ seconds }) => seconds * 1_000 <= elapsedMs) ?? home;
  return {
    home,
    durationMs: home.seconds * 1_000,
    placeAt: latestAt,
    fixAt: (elapsedMs) => {
      const { seconds, latitude, longitude } = latestAt(elapsedMs);
      return {
        position: { latitude, longitude },
        ageMs: Math.max(0, Math.round(elapsedMs - seconds * 1_000)),
      };
    },
  };
}

function routeOf(kind: TripKind, random: Random): GeoPoint[] {
  const [length, angle] = [between(meters[kind], random), random() * 90];
  if (kind === 'straight') return [pointAt(length, random() * 2 * Math.PI), HOME];
  const route = planRoute(HOME, length, angle, random);
  const [first] = route;
  if (kind !== 'detour' || first === undefined) return route;
  const { east, north } = onPlane(HOME, first);
  const away = between([0.4, 0.75], random) * distanceMeters(HOME, first);
  return [pointAt(away, Math.atan2(east, north) + between([-0.6, 0.6], random)), ...route];
}

/** From the home; angle: clockwise from north, in radians. */
function pointAt(distance: number, angle: number): GeoPoint {
  return onEarth(HOME, { east: distance * Math.sin(angle), north: distance * Math.cos(angle) });
}

/** The position by a cell tower. */
function coarse(position: Position, random: Random): Position {
  const accuracy = between(coarseMeters, random);
  const angle = random() * 2 * Math.PI;
  const off = { east: accuracy * Math.sin(angle) * random(), north: accuracy * Math.cos(angle) * random() };
  return { ...onEarth(position, off), accuracy };
}
