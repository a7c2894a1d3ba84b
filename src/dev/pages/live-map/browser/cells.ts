export interface Point {
  x: number;
  y: number;
}

/** Of a square from 0 to size, with a margin around it, the part that is nearer to the centre than to any of the others. */
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

/** Sutherland and Hodgman's clipping, by the line in the middle between the two. */
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
