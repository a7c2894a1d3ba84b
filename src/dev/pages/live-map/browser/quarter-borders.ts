import { neighbourhoods, type Neighbourhood } from '../../../simulation/places.js';
import { onPlane, type Plane } from '../../../simulation/plane.js';

/** From a quarter's centre in each direction, where there is no other quarter. */
const REACH_METERS = 12_000;

/** The corners of what is nearer to this quarter's centre than to any other, in metres from the centre. */
export function bordersOf(quarter: Neighbourhood): Plane[] {
  let corners: Plane[] = [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
  ].map(([east = 0, north = 0]) => ({ east: east * REACH_METERS, north: north * REACH_METERS }));
  for (const other of neighbourhoods) {
    if (other === quarter) continue;
    corners = nearerPart(corners, onPlane(quarter.centre, other.centre));
  }
  return corners;
}

/** Sutherland and Hodgman's clipping of a polygon, at the line halfway to another centre. */
function nearerPart(corners: readonly Plane[], other: Plane): Plane[] {
  const half = (other.east ** 2 + other.north ** 2) / 2;
  const beyond = ({ east, north }: Plane) => east * other.east + north * other.north - half;
  return corners.flatMap((corner, index) => {
    const next = corners[(index + 1) % corners.length] ?? corner;
    const [here, there] = [beyond(corner), beyond(next)];
    const share = here / (here - there);
    const crossing = {
      east: corner.east + share * (next.east - corner.east),
      north: corner.north + share * (next.north - corner.north),
    };
    return [...(here <= 0 ? [corner] : []), ...(here <= 0 === there <= 0 ? [] : [crossing])];
  });
}
