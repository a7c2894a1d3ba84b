import { z } from 'zod';
import { SessionId, StudentId, TrainerId } from './identifiers.js';

export const EVENT_SOURCE = 'admin-service';

export const endReasons = ['arrived', 'cancelled', 'timeout'] as const;
export type EndReason = (typeof endReasons)[number];

const eventIdentity = {
  eventId: z.uuid().meta({ description: 'Identifies the event; a redelivered event has the same id.' }),
  trainerId: TrainerId,
  studentId: StudentId,
  sessionId: SessionId,
};

export const TrainerJourneyStarted = z
  .object({ ...eventIdentity, startTime: z.iso.datetime() })
  .meta({ id: 'TrainerJourneyStarted' });

export const TrainerJourneyEnded = z
  .object({ ...eventIdentity, endTime: z.iso.datetime(), reason: z.enum(endReasons) })
  .meta({ id: 'TrainerJourneyEnded' });

export const TrainerNearby = z
  .object({
    ...eventIdentity,
    time: z.iso.datetime(),
    distanceMeters: z.int().meta({ description: "Distance to the student's home in metres." }),
  })
  .meta({ id: 'TrainerNearby' });

export const TrainerLocationStale = z
  .object({
    ...eventIdentity,
    time: z.iso.datetime().meta({ description: 'Time at which the student requested the position.' }),
    lastFixTime: z.iso.datetime().meta({ description: 'Time of the position that the student got.' }),
  })
  .meta({ id: 'TrainerLocationStale' });

/** All published events by detail-type. */
export const events = {
  TrainerJourneyStarted,
  TrainerJourneyEnded,
  TrainerNearby,
  TrainerLocationStale,
} as const;
