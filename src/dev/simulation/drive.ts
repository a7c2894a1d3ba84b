import type { GeoPoint } from './places.js';

/** What a phone's receiver says: metres, metres per second, degrees clockwise from north. */
export interface Fix extends GeoPoint {
  accuracy: number;
  speed: number;
  heading: number;
}

/** A drive along a route, as the phone on board sees it. */
export interface Drive {
  route: readonly GeoPoint[];
  durationMs: number;
  /** The fix at a time since the drive began; after the end, the last one. */
  fixAt(elapsedMs: number): Fix;
}

export type Random = () => number;

interface Plane {
  east: number;
  north: number;
}

const metersPerDegree = 111_195;
const blockMeters = { along: 90, across: 140 };
const kmh = 1 / 3.6;
const cornerSpeed = 16 * kmh;
const slowestCruise = 26 * kmh;
const fastestCruise = 44 * kmh;
const acceleration = 1.4;
const noiseMemory = 0.96;
const noiseMeters = 0.7;

/** A way through a grid of streets that is about this long and ends at the home. */
export function planRoute(
  home: GeoPoint,
  lengthMeters: number,
  streetAngle: number,
  random: Random,
): GeoPoint[] {
  const angle = (streetAngle * Math.PI) / 180;
  const along: Plane = { east: Math.sin(angle), north: Math.cos(angle) };
  const across: Plane = { east: Math.cos(angle), north: -Math.sin(angle) };
  const signs = [random() < 0.5 ? 1 : -1, random() < 0.5 ? 1 : -1] as const;
  let at: Plane = { east: 0, north: 0 };
  let left = lengthMeters;
  const points = [at];
  // From the home outwards, a few blocks along one street, then a few along one across it.
  for (let leg = random() < 0.5 ? 0 : 1; left > 1; leg += 1) {
    const isAlong = leg % 2 === 0;
    const blocks = 1 + Math.floor(random() * 4);
    const meters = Math.min(left, blocks * (isAlong ? blockMeters.along : blockMeters.across));
    const axis = isAlong ? along : across;
    const step = meters * (isAlong ? signs[0] : signs[1]);
    at = { east: at.east + axis.east * step, north: at.north + axis.north * step };
    points.push(at);
    left -= meters;
  }
  return points.reverse().map((point) => onEarth(home, point));
}

/** A drive at 15 to 45 km/h, slower around corners, with the slowly wandering error of a phone's receiver. */
export function planDrive(route: readonly GeoPoint[], random: Random): Drive {
  const origin = route[0];
  if (origin === undefined) throw new Error('A route has at least one point.');
  const legs = legsOf(route.map((point) => onPlane(origin, point)));
  const seconds = [...secondsOf(legs, random)];
  const noise = wanderingNoise(random);
  const fixes = seconds.map(({ place, speed, heading }): Fix => {
    const error = noise();
    const seen = { east: place.east + error.east, north: place.north + error.north };
    return {
      ...onEarth(origin, seen),
      accuracy: round(4 + Math.hypot(error.east, error.north) + 2 * random(), 1),
      speed: round(Math.max(0, speed + (random() - 0.5) * 0.6), 2),
      heading: round((heading + (random() - 0.5) * 6 + 360) % 360, 1),
    };
  });
  return {
    route,
    durationMs: (fixes.length - 1) * 1_000,
    fixAt: (elapsedMs) => fixBetween(fixes, elapsedMs),
  };
}

interface Leg {
  from: Plane;
  to: Plane;
  meters: number;
  heading: number;
}

function legsOf(points: Plane[]): Leg[] {
  return points.slice(1).map((to, index) => {
    const from = points[index] ?? to;
    const [east, north] = [to.east - from.east, to.north - from.north];
    const heading = ((Math.atan2(east, north) * 180) / Math.PI + 360) % 360;
    return { from, to, meters: Math.hypot(east, north), heading };
  });
}

/** Where the car is at each full second. */
function* secondsOf(
  legs: Leg[],
  random: Random,
): Generator<{ place: Plane; speed: number; heading: number }> {
  let speed = cornerSpeed;
  let driven = 0;
  for (const { from, to, meters, heading } of legs) {
    const cruise = slowestCruise + random() * (fastestCruise - slowestCruise);
    for (; driven < meters; driven += speed) {
      const share = driven / meters;
      const place = {
        east: from.east + (to.east - from.east) * share,
        north: from.north + (to.north - from.north) * share,
      };
      yield { place, speed, heading };
      // The speed from which the brakes bring it down to the corner's by the end of the leg.
      const brakingSpeed = Math.sqrt(
        cornerSpeed ** 2 + 2 * acceleration * Math.max(0, meters - driven - speed),
      );
      speed = Math.min(speed + acceleration, cruise, brakingSpeed);
    }
    driven -= meters;
  }
  const last = legs.at(-1);
  if (last) yield { place: last.to, speed: 0, heading: last.heading };
}

/** Errors that follow each other: a receiver's position drifts, it does not jump about. */
function wanderingNoise(random: Random): () => Plane {
  const error: Plane = { east: 0, north: 0 };
  // The sum of three even draws is close enough to a normal one.
  const draw = () => (random() + random() + random() - 1.5) * 2 * noiseMeters;
  return () => {
    error.east = error.east * noiseMemory + draw();
    error.north = error.north * noiseMemory + draw();
    return error;
  };
}

function fixBetween(fixes: readonly Fix[], elapsedMs: number): Fix {
  const at = Math.min(Math.max(elapsedMs / 1_000, 0), fixes.length - 1);
  const before = fixes[Math.floor(at)];
  const after = fixes[Math.ceil(at)];
  if (before === undefined || after === undefined) throw new Error('A drive has at least one fix.');
  const share = at - Math.floor(at);
  return {
    ...before,
    latitude: round(before.latitude + (after.latitude - before.latitude) * share, 7),
    longitude: round(before.longitude + (after.longitude - before.longitude) * share, 7),
  };
}

// On a plane, which is exact to well under a metre over a few kilometres.
function onEarth(origin: GeoPoint, point: Plane): GeoPoint {
  const latitude = origin.latitude + point.north / metersPerDegree;
  return { latitude, longitude: origin.longitude + point.east / metersPerLongitude(origin) };
}

function onPlane(origin: GeoPoint, point: GeoPoint): Plane {
  return {
    east: (point.longitude - origin.longitude) * metersPerLongitude(origin),
    north: (point.latitude - origin.latitude) * metersPerDegree,
  };
}

const metersPerLongitude = (origin: GeoPoint) =>
  metersPerDegree * Math.cos((origin.latitude * Math.PI) / 180);

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
