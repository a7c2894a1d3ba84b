import type { GeoPoint, Neighbourhood } from './places.js';
import { onEarth, onPlane, type Plane } from './plane.js';

/** How long a block is along the quarter's angle and across it. */
export const blockMeters = { along: 90, across: 140 };

export type StreetGrid = Pick<Neighbourhood, 'centre' | 'streetAngle'>;

/** Counted from the quarter's centre: mains run along its angle, crosses across. */
export interface Corner {
  main: number;
  cross: number;
}

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
  const { main, cross } = cornerAt(grid, point);
  return at(grid, cross * blockMeters.along, main * blockMeters.across);
}

function cornerAt(grid: StreetGrid, point: GeoPoint): Corner {
  const { along, across } = alongAndAcross(grid, point);
  return { main: Math.round(across / blockMeters.across), cross: Math.round(along / blockMeters.along) };
}

/** Of the corner next to a point: "3rd Cross, 100 Feet Road, Indiranagar". */
export function addressAt(quarter: Neighbourhood, point: GeoPoint): string {
  const { main, cross } = cornerAt(quarter, point);
  return `${crossName(cross)}, ${mainName(quarter, main)}, ${quarter.name}`;
}

export function mainName({ mainRoad }: Pick<Neighbourhood, 'mainRoad'>, index: number): string {
  return index === 0 ? mainRoad : `${numbered(index)} Main`;
}

export function crossName(index: number): string {
  return index === 0 ? 'Temple Street' : `${numbered(index)} Cross`;
}

/** As in Bengaluru: 1st, 2nd, 3rd, and on the other side 1st A, 2nd A. */
function numbered(index: number): string {
  const number = Math.abs(index);
  const ending = number > 10 && number < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][number % 10] ?? 'th');
  return `${number}${ending}${index < 0 ? ' A' : ''}`;
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
