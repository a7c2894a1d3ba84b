import type { Plane } from './plane.js';

export interface Place extends Plane {
  /** Degrees clockwise from north. */
  heading: number;
}

/** A line from corner to corner. */
export class Path {
  readonly legMeters: readonly number[];
  /** Where each leg begins, and its direction. */
  readonly #legs: (Place & { fromMeters: number })[] = [];

  constructor(points: readonly Plane[]) {
    let fromMeters = 0;
    this.legMeters = points.slice(1).map((to, index) => {
      const from = points[index] ?? to;
      const [east, north] = [to.east - from.east, to.north - from.north];
      const heading = ((Math.atan2(east, north) * 180) / Math.PI + 360) % 360;
      this.#legs.push({ ...from, heading, fromMeters });
      const meters = Math.hypot(east, north);
      fromMeters += meters;
      return meters;
    });
  }

  placeAt(meters: number): Place {
    const leg = this.#legs.findLast(({ fromMeters }) => fromMeters <= meters) ?? this.#legs[0];
    if (leg === undefined) return { east: 0, north: 0, heading: 0 };
    const beyond = meters - leg.fromMeters;
    const angle = (leg.heading * Math.PI) / 180;
    return {
      east: leg.east + Math.sin(angle) * beyond,
      north: leg.north + Math.cos(angle) * beyond,
      heading: leg.heading,
    };
  }
}
