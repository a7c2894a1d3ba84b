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

export interface SimulatedSession extends PlannedSession {
  trainerToken: string;
  studentToken: string;
}

/** Homes lie within about 700 m of the quarter's centre. */
const spreadDegrees = 0.006;

/** For each trainer some sessions of one quarter; new ids in each run, so that two runs never meet. */
export function planSessions(
  trainers: number,
  sessionsPerTrainer: number,
  random: Random,
  newSessionId: () => string = randomUUID,
): PlannedSession[][] {
  return Array.from({ length: trainers }, (_, trainer) => {
    const neighbourhood = elementAt(neighbourhoods, trainer);
    const trainerId = randomUUID();
    return Array.from({ length: sessionsPerTrainer }, () => ({
      id: newSessionId(),
      trainerId,
      studentId: randomUUID(),
      neighbourhood,
      trainerName: elementAt(trainerNames, trainer),
      home: homeIn(neighbourhood, random),
    }));
  });
}

/** At a street corner, so that all who drive in a quarter drive along the same streets. */
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
