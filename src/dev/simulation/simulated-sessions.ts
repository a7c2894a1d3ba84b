import { randomUUID } from 'node:crypto';
import { neighbourhoods, trainerNames, type GeoPoint, type Neighbourhood } from './places.js';
import type { Random } from './random.js';
import { nearestCorner } from './streets.js';

export interface PlannedSession {
  id: string;
  trainerId: string;
  studentId: string;
  home: GeoPoint;
  neighbourhood: Neighbourhood;
  trainerName: string;
}

/** Homes are within about 700 m of the quarter's centre. */
const spreadDegrees = 0.006;

/** Sessions of as many trainers, with new ids in each run. */
export function planSessions(count: number, random: Random): PlannedSession[] {
  return Array.from({ length: count }, (_, index) => {
    const neighbourhood = elementAt(neighbourhoods, index);
    return {
      id: randomUUID(),
      trainerId: randomUUID(),
      studentId: randomUUID(),
      neighbourhood,
      trainerName: elementAt(trainerNames, index),
      home: homeIn(neighbourhood, random),
    };
  });
}

/** At a street corner, so that all trainers of a quarter use the same streets. */
function homeIn(neighbourhood: Neighbourhood, random: Random): GeoPoint {
  const { latitude, longitude } = neighbourhood.centre;
  const corner = nearestCorner(neighbourhood, {
    latitude: latitude + (random() - 0.5) * 2 * spreadDegrees,
    longitude: longitude + (random() - 0.5) * 2 * spreadDegrees,
  });
  return { latitude: Number(corner.latitude.toFixed(6)), longitude: Number(corner.longitude.toFixed(6)) };
}

function elementAt<Element>(list: readonly Element[], index: number): Element {
  const element = list[index % list.length];
  if (element === undefined) throw new Error('The list is empty.');
  return element;
}
