import type { GeoPoint, Neighbourhood } from './places.js';
import { onEarth, onPlane, type Plane } from './plane.js';

/** How long a block is along the quarter's angle and across it. */
export const blockMeters = { along: 90, across: 140 };

export type StreetGrid = Pick<Neighbourhood, 'centre' | 'streetAngle'>;

/** One step of a metre along the streets and one across, on the plane. */
export function axesOf(streetAngle: number): { along: Plane; across: Plane } {
  const angle = (streetAngle * Math.PI) / 180;
  return {
    along: { east: Math.sin(angle), north: Math.cos(angle) },
    across: { east: Math.cos(angle), north: -Math.sin(angle) },
  };
}

/** The street corner next to a point. */
export function nearestCorner(grid: StreetGrid, point: GeoPoint): GeoPoint {
  const { along, across } = alongAndAcross(grid, point);
  const whole = (meters: number, block: number) => Math.round(meters / block) * block;
  return at(grid, whole(along, blockMeters.along), whole(across, blockMeters.across));
}

/** From anywhere to the home: along one street, then across. */
export function routeHome(from: GeoPoint, home: GeoPoint, streetAngle: number): GeoPoint[] {
  const grid = { centre: home, streetAngle };
  const { across } = alongAndAcross(grid, from);
  return [from, at(grid, 0, across), home];
}

function at({ centre, streetAngle }: StreetGrid, alongMeters: number, acrossMeters: number): GeoPoint {
  const { along, across } = axesOf(streetAngle);
  return onEarth(centre, {
    east: along.east * alongMeters + across.east * acrossMeters,
    north: along.north * alongMeters + across.north * acrossMeters,
  });
}

function alongAndAcross(
  { centre, streetAngle }: StreetGrid,
  point: GeoPoint,
): { along: number; across: number } {
  const { east, north } = onPlane(centre, point);
  const { along, across } = axesOf(streetAngle);
  return {
    along: east * along.east + north * along.north,
    across: east * across.east + north * across.north,
  };
}
