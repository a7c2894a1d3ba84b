import { randomUUID } from 'node:crypto';
import { elementAt, studentName, subject, trainerName } from './people.js';
import { neighbourhoods, type GeoPoint, type Neighbourhood } from './places.js';
import type { Random } from './random.js';
import { nearestCorner } from './streets.js';

export interface PlannedSession {
  id: string;
  trainerId: string;
  studentId: string;
  home: GeoPoint;
  neighbourhood: Neighbourhood;
  trainerName: string;
  studentName: string;
  subject: string;
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
      trainerName: trainerName(index),
      studentName: studentName(index),
      subject: subject(index),
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
