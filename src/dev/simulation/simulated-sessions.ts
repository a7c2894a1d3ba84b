import { randomUUID } from 'node:crypto';
import { neighbourhoods, trainerNames, type GeoPoint, type Neighbourhood } from './places.js';
import type { Random } from './random.js';

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
      home: {
        latitude: Number((neighbourhood.centre.latitude + (random() - 0.5) * 2 * spreadDegrees).toFixed(6)),
        longitude: Number((neighbourhood.centre.longitude + (random() - 0.5) * 2 * spreadDegrees).toFixed(6)),
      },
    }));
  });
}

function elementAt<Element>(list: readonly Element[], index: number): Element {
  const element = list[index % list.length];
  if (element === undefined) throw new Error('The list is empty.');
  return element;
}
