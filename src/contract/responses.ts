import { z } from 'zod';
import { endReasons } from './events.js';
import { SessionId, StudentId, TrainerId } from './identifiers.js';
import { trainerProblems } from './requests.js';

export const Time = z.iso
  .datetime({ precision: 3 })
  .meta({ description: 'Server time, ISO 8601 in UTC with milliseconds.' });

export const JourneyStarted = z
  .object({
    sessionId: SessionId,
    trainerId: TrainerId,
    studentId: StudentId,
    startedAt: Time,
    expiresAt: Time,
    nextUpdateMs: z.int().meta({ description: 'Milliseconds until the first position should be sent.' }),
    warnings: z
      .array(z.enum(['HOME_LOCATION_UNREADABLE']))
      .optional()
      .meta({
        description:
          "HOME_LOCATION_UNREADABLE: the student's home location cannot be read, so the journey cannot end by arrived.",
      }),
  })
  .meta({ id: 'JourneyStarted' });
export type JourneyStarted = z.infer<typeof JourneyStarted>;

export const PositionRecorded = z
  .object({
    sessionId: SessionId,
    timestamp: Time,
    ttl: z.int().meta({ description: 'Seconds for which the position is stored.' }),
    nextUpdateMs: z.int().meta({ description: 'Milliseconds until the next position should be sent.' }),
  })
  .meta({ id: 'PositionRecorded' });
export type PositionRecorded = z.infer<typeof PositionRecorded>;

export const Location = z
  .object({
    latitude: z.number(),
    longitude: z.number(),
    accuracy: z.number().optional().meta({ description: 'Accuracy radius in metres.' }),
    speed: z.number().optional().meta({ description: 'Speed in metres per second.' }),
    heading: z.number().optional().meta({ description: 'Degrees clockwise from north.' }),
    timestamp: Time,
    sequence: z.int().optional(),
  })
  .meta({ id: 'Location' });
export type Location = z.infer<typeof Location>;

export const freshnessLevels = ['live', 'delayed', 'stale'] as const;

export const LiveJourney = z
  .object({
    sessionId: SessionId,
    trainerId: TrainerId.nullable().meta({ description: 'Null if the session has no trainer.' }),
    isActive: z.boolean(),
    location: Location.nullable(),
    lastUpdate: Time.nullable(),
    startedAt: Time.nullable(),
    expiresAt: Time.nullable(),
    distanceMeters: z
      .number()
      .nullable()
      .meta({ description: "Great-circle distance to the student's home in metres." }),
    etaSeconds: z
      .int()
      .nullable()
      .meta({ description: 'Estimated seconds until arrival. Null if no reliable estimate exists.' }),
    etaLowSeconds: z.int().nullable().meta({
      description:
        'Lower bound of the estimate: four of five arrivals are between etaLowSeconds and etaHighSeconds.',
    }),
    etaHighSeconds: z
      .int()
      .nullable()
      .meta({ description: 'Upper bound of the estimate. Null if and only if etaSeconds is null.' }),
    ageMs: z.int().nullable().meta({
      description: 'Milliseconds since the fix, or since the phone last reported that it has not moved.',
    }),
    freshness: z.enum(freshnessLevels).nullable().meta({
      description:
        'By the age of the fix: live up to 15 s, delayed up to 60 s, then stale. While the service stretches the update interval, the limits are higher by the same amount.',
    }),
    uncertaintyMeters: z.number().nullable().meta({
      description: 'Accuracy radius in metres, growing with age. Null if the phone reported no accuracy.',
    }),
    stillSeconds: z.int().nullable().meta({
      description:
        'How long the trainer had been standing at the last update, in seconds. Null while moving, or if unknown.',
    }),
    trainerProblem: z.enum(trainerProblems).nullable().meta({
      description:
        "Why the trainer's phone has no usable position, by its last heartbeat. Null after a position.",
    }),
    nextPollMs: z.int().meta({ description: 'Milliseconds until the next poll should be sent.' }),
    endedReason: z.enum(endReasons).optional(),
    endedAt: Time.optional(),
  })
  .meta({ id: 'LiveJourney' });
export type LiveJourney = z.infer<typeof LiveJourney>;

export const JourneyArrived = z
  .object({
    sessionId: SessionId,
    arrivedAt: Time,
    distance: z.int().meta({ description: 'Distance to the home in metres, rounded.' }),
  })
  .meta({ id: 'JourneyArrived' });
export type JourneyArrived = z.infer<typeof JourneyArrived>;

export const JourneyStopped = z
  .object({ sessionId: SessionId, stoppedAt: Time })
  .meta({ id: 'JourneyStopped' });
export type JourneyStopped = z.infer<typeof JourneyStopped>;
