import type { Plane } from './plane.js';

export interface Place extends Plane {
  /** Degrees clockwise from north. */
  heading: number;
}

const fieldsOfLeg = 4;

/** A line from corner to corner. */
export class Path {
  readonly legMeters: readonly number[];
  /** For each leg where it begins (metres from the start, east, north), and its heading. */
  readonly #legs: Float32Array;

  constructor(points: readonly Plane[]) {
    const values: number[] = [];
    const legMeters: number[] = [];
    let meters = 0;
    points.slice(1).forEach((to, index) => {
      const from = points[index] ?? to;
      const [east, north] = [to.east - from.east, to.north - from.north];
      const heading = ((Math.atan2(east, north) * 180) / Math.PI + 360) % 360;
      values.push(meters, from.east, from.north, heading);
      legMeters.push(Math.hypot(east, north));
      meters += Math.hypot(east, north);
    });
    this.legMeters = legMeters;
    this.#legs = Float32Array.from(values);
  }

  placeAt(meters: number): Place {
    const legs = this.#legs;
    let leg = legs.length - fieldsOfLeg;
    while (leg > 0 && (legs[leg] ?? 0) > meters) leg -= fieldsOfLeg;
    const beyond = meters - (legs[leg] ?? 0);
    const heading = legs[leg + 3] ?? 0;
    const angle = (heading * Math.PI) / 180;
    return {
      east: (legs[leg + 1] ?? 0) + Math.sin(angle) * beyond,
      north: (legs[leg + 2] ?? 0) + Math.cos(angle) * beyond,
      heading,
    };
  }
}
