import { z } from 'zod';

export const EVENT_SOURCE = 'admin-service';

export const endReasons = ['arrived', 'cancelled', 'timeout'] as const;
export type EndReason = (typeof endReasons)[number];

const eventIdentity = {
  eventId: z.uuid().meta({ description: 'The same in every repeat of the event.' }),
  trainerId: z.string(),
  studentId: z.string(),
  sessionId: z.string(),
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
    distanceMeters: z.int().meta({ description: "Metres to the student's home." }),
  })
  .meta({ id: 'TrainerNearby' });

export const TrainerLocationStale = z
  .object({
    ...eventIdentity,
    time: z.iso.datetime().meta({ description: 'When the student looked.' }),
    lastFixTime: z.iso.datetime().meta({ description: 'Of the position that the student saw.' }),
  })
  .meta({ id: 'TrainerLocationStale' });

/** Every event that goes to the bus, by its detail-type. */
export const events = {
  TrainerJourneyStarted,
  TrainerJourneyEnded,
  TrainerNearby,
  TrainerLocationStale,
} as const;
