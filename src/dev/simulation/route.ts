import type { GeoPoint } from './places.js';
import { onEarth, type Plane } from './plane.js';
import { between, type Random } from './random.js';
import { axesOf, blockMeters } from './streets.js';

/** A way through a grid of streets that is about this long and ends at the home. */
export function planRoute(
  home: GeoPoint,
  lengthMeters: number,
  streetAngle: number,
  random: Random,
): GeoPoint[] {
  const { along, across } = axesOf(streetAngle);
  const signs = [random() < 0.5 ? 1 : -1, random() < 0.5 ? 1 : -1] as const;
  let at: Plane = { east: 0, north: 0 };
  let left = lengthMeters;
  const points = [at];
  // From the home outwards, a few blocks along one street, then a few along one across it.
  for (let leg = random() < 0.5 ? 0 : 1; left > 1; leg += 1) {
    const isAlong = leg % 2 === 0;
    const blocks = Math.floor(between([1, 5], random));
    const meters = Math.min(left, blocks * (isAlong ? blockMeters.along : blockMeters.across));
    const axis = isAlong ? along : across;
    const step = meters * (isAlong ? signs[0] : signs[1]);
    at = { east: at.east + axis.east * step, north: at.north + axis.north * step };
    points.push(at);
    left -= meters;
  }
  return points.reverse().map((point) => onEarth(home, point));
}
