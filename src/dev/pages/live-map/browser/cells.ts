export interface Point {
  x: number;
  y: number;
}

/** The part of a square with a margin that is nearer to the centre than to any of the others (a Voronoi cell). */
export function cellOf(centre: Point, others: readonly Point[], size: number, margin: number): Point[] {
  const [from, to] = [-margin, size + margin];
  const square = [
    { x: from, y: from },
    { x: to, y: from },
    { x: to, y: to },
    { x: from, y: to },
  ];
  return others.reduce((cell, other) => nearerPart(cell, centre, other), square);
}

/** Sutherland–Hodgman clipping by the bisector of the two points. */
function nearerPart(cell: readonly Point[], centre: Point, other: Point): Point[] {
  const [dx, dy] = [other.x - centre.x, other.y - centre.y];
  const middle = { x: (centre.x + other.x) / 2, y: (centre.y + other.y) / 2 };
  const beyond = ({ x, y }: Point) => (x - middle.x) * dx + (y - middle.y) * dy;
  return cell.flatMap((point, index) => {
    const next = cell[(index + 1) % cell.length] ?? point;
    const [here, there] = [beyond(point), beyond(next)];
    const kept = here <= 0 ? [point] : [];
    if (here <= 0 === there <= 0) return kept;
    const share = here / (here - there);
    return [...kept, { x: point.x + (next.x - point.x) * share, y: point.y + (next.y - point.y) * share }];
  });
}
