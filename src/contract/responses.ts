import { z } from 'zod';
import { endReasons } from './events.js';
import { Uuid } from './identifiers.js';

const Time = z.iso
  .datetime({ precision: 3 })
  .meta({ description: 'ISO 8601, UTC, milliseconds; server time.' });

export const JourneyStarted = z
  .object({
    sessionId: Uuid,
    trainerId: Uuid,
    studentId: Uuid,
    startedAt: Time,
    expiresAt: Time,
    nextUpdateMs: z.int().meta({ description: 'When the first position is wanted, in milliseconds.' }),
  })
  .meta({ id: 'JourneyStarted' });
export type JourneyStarted = z.infer<typeof JourneyStarted>;

export const PositionRecorded = z
  .object({
    sessionId: Uuid,
    timestamp: Time,
    ttl: z.int().meta({ description: 'Seconds that the position is kept.' }),
    nextUpdateMs: z.int().meta({ description: 'When the next position is wanted, in milliseconds.' }),
  })
  .meta({ id: 'PositionRecorded' });
export type PositionRecorded = z.infer<typeof PositionRecorded>;

export const Location = z
  .object({
    latitude: z.number(),
    longitude: z.number(),
    accuracy: z.number().optional().meta({ description: 'Metres.' }),
    speed: z.number().optional().meta({ description: 'Metres per second.' }),
    heading: z.number().optional().meta({ description: 'Degrees clockwise from north.' }),
    timestamp: Time,
    sequence: z.int().optional(),
  })
  .meta({ id: 'Location' });
export type Location = z.infer<typeof Location>;

export const freshnessLevels = ['live', 'delayed', 'stale'] as const;

export const LiveJourney = z
  .object({
    sessionId: Uuid,
    trainerId: Uuid.nullable().meta({ description: 'Null while the session has no trainer.' }),
    isActive: z.boolean(),
    location: Location.nullable(),
    lastUpdate: Time.nullable(),
    startedAt: Time.nullable(),
    expiresAt: Time.nullable(),
    distanceMeters: z
      .number()
      .nullable()
      .meta({ description: "Great-circle distance to the student's home, metres." }),
    etaSeconds: z
      .int()
      .nullable()
      .meta({ description: 'Until the arrival at the home. Null where it cannot be said honestly.' }),
    etaLowSeconds: z.int().nullable().meta({
      description: 'Sooner is unlikely: four of five arrivals fall between this and etaHighSeconds.',
    }),
    etaHighSeconds: z
      .int()
      .nullable()
      .meta({ description: 'Later is unlikely. All three are null together.' }),
    ageMs: z.int().nullable().meta({ description: 'Age of the fix.' }),
    freshness: z.enum(freshnessLevels).nullable().meta({
      description:
        'live up to 15 s, delayed up to 60 s, then stale; later by as much as nextUpdateMs is over the ordinary interval.',
    }),
    uncertaintyMeters: z
      .number()
      .nullable()
      .meta({ description: 'Accuracy, growing with age; null where the phone gave none.' }),
    nextPollMs: z.int().meta({ description: 'When the next poll is worth while, in milliseconds.' }),
    endedReason: z.enum(endReasons).optional(),
    endedAt: Time.optional(),
  })
  .meta({ id: 'LiveJourney' });
export type LiveJourney = z.infer<typeof LiveJourney>;

export const JourneyArrived = z
  .object({
    sessionId: Uuid,
    arrivedAt: Time,
    distance: z.int().meta({ description: 'Metres from home, rounded.' }),
  })
  .meta({ id: 'JourneyArrived' });
export type JourneyArrived = z.infer<typeof JourneyArrived>;

export const JourneyStopped = z.object({ sessionId: Uuid, stoppedAt: Time }).meta({ id: 'JourneyStopped' });
export type JourneyStopped = z.infer<typeof JourneyStopped>;
