import { z } from 'zod';
import { errorCodes } from './errors.js';
import { endReasons, events } from './events.js';
import { SessionId, StudentId, TrainerId, Uuid } from './identifiers.js';
import { trainerProblems } from './requests.js';
import { freshnessLevels, Location, Time } from './responses.js';

const MAX_LIMIT = 200;
export const INVALID_CURSOR = 'must be the nextCursor of the page before';

/** Where a page ends: the expiry and the session of the last journey seen, in its partition. */
export interface FleetCursor {
  partition: number;
  expiresAtMs: number;
  sessionId: string;
}

export function formatCursor({ partition, expiresAtMs, sessionId }: FleetCursor): string {
  return `${partition}.${expiresAtMs}.${sessionId}`;
}

function parseCursor(text: string): FleetCursor | null {
  const parts = /^(\d{1,4})\.(\d{1,15})\.([0-9a-f-]{36})$/.exec(text);
  const [, partition, expiresAtMs, sessionId] = parts ?? [];
  if (!Uuid.safeParse(sessionId).success) return null;
  return { partition: Number(partition), expiresAtMs: Number(expiresAtMs), sessionId: String(sessionId) };
}

export const FleetQuery = z.object({
  trainerId: TrainerId.optional(),
  studentId: StudentId.optional(),
  freshness: z
    .enum([...freshnessLevels, 'none'])
    .optional()
    .meta({ description: 'none: no position is stored.' }),
  limit: z
    .string()
    .regex(/^\d{1,3}$/, `must be a whole number from 1 to ${MAX_LIMIT}`)
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= MAX_LIMIT, `must be a whole number from 1 to ${MAX_LIMIT}`)
    .default(50)
    .meta({
      override: { type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: 50 },
      description: 'Journeys per page.',
    }),
  cursor: z
    .string()
    .max(100)
    .transform((text, context) => {
      const cursor = parseCursor(text);
      if (cursor === null) context.addIssue(INVALID_CURSOR);
      return cursor ?? z.NEVER;
    })
    .optional()
    .meta({
      override: { type: 'string' },
      description: 'nextCursor of the page before; with the same filters.',
    }),
});
export type FleetQuery = z.output<typeof FleetQuery>;

const journeyFields = {
  sessionId: SessionId,
  trainerId: TrainerId,
  studentId: StudentId,
  startedAt: Time,
  expiresAt: Time,
  freshness: z.enum(freshnessLevels).nullable().meta({ description: 'Null: no position is stored.' }),
  ageMs: z
    .int()
    .nullable()
    .meta({ description: 'Milliseconds since the fix, or since the last still heartbeat.' }),
  distanceMeters: z
    .number()
    .nullable()
    .meta({ description: "Great-circle distance to the student's home in metres." }),
  etaSeconds: z.int().nullable(),
  trainerProblem: z.enum(trainerProblems).nullable().meta({ description: "Of the phone's last heartbeat." }),
  location: Location.nullable(),
};

export const FleetJourney = z.object(journeyFields).meta({ id: 'FleetJourney' });
export type FleetJourney = z.infer<typeof FleetJourney>;

export const FleetPage = z
  .object({
    journeys: z.array(FleetJourney),
    nextCursor: z.string().nullable().meta({
      description:
        'Null: this was the last page. With filters a call looks through at most 1,000 journeys, so a page may be empty and have a nextCursor.',
    }),
    unreadable: z.array(SessionId).meta({ description: 'Sessions whose stored journey cannot be read.' }),
  })
  .meta({ id: 'FleetPage' });
export type FleetPage = z.infer<typeof FleetPage>;

export const refusalReasons = [
  'speed',
  'tooFrequent',
  'otherSession',
  'noPosition',
  'sequence',
  'age',
  'input',
] as const;
export type RefusalReason = (typeof refusalReasons)[number];
const Reason = z.enum(refusalReasons).meta({
  description:
    'speed: implausible. tooFrequent, otherSession: the slot was used by this journey, or by another one of the trainer. sequence: not above the last one. age: the fix is too old, or older than the last one. noPosition: still without a position. input: the body.',
});

export const timelineKinds = [
  'started',
  'firstFix',
  'refused',
  'reanchored',
  'stale',
  'recovered',
  'problem',
  'nearby',
  ...endReasons,
] as const;
export type TimelineKind = (typeof timelineKinds)[number];

export const TimelineEntry = z
  .object({
    kind: z.enum(timelineKinds),
    at: Time,
    lastAt: Time.optional().meta({ description: 'The last of several.' }),
    count: z.int().optional().meta({
      description: 'How often, at most a minute apart.',
    }),
    code: z.enum(errorCodes).optional(),
    reason: Reason.optional(),
    problem: z.enum(trainerProblems).optional(),
    by: z.enum(['trainer', 'admin']).optional(),
  })
  .meta({ id: 'TimelineEntry' });
export type TimelineEntry = z.infer<typeof TimelineEntry>;

export const JourneyDiagnostics = z
  .object({
    acceptedUpdates: z.int().meta({ description: 'Positions and heartbeats.' }),
    refusedUpdates: z.partialRecord(z.enum(errorCodes), z.int()).meta({ description: 'By error code.' }),
    lastRefusal: z
      .object({
        code: z.enum(errorCodes),
        reason: Reason.optional(),
        at: Time,
        overLimit: z.number().optional().meta({
          description:
            'How far over the limit: metres (speed), milliseconds (tooFrequent, otherSession, age) or numbers (sequence).',
        }),
      })
      .nullable(),
    reanchors: z.int().meta({ description: 'How often refused positions replaced the reference.' }),
    lastSequence: z.int().nullable(),
    lastUpdateAt: Time.nullable().meta({ description: 'The last update that used its slot.' }),
    nextUpdateDueAt: Time.nullable(),
    watchers: z.int().meta({
      description: 'Students who have watched in the last minute: 0 or 1, because a session has one student.',
    }),
    lastWatchedAt: Time.nullable().meta({
      description: 'By the student, within 30 s. Null: not in the last 10 minutes.',
    }),
    events: z
      .array(
        z.object({
          type: z.enum(Object.keys(events) as (keyof typeof events)[]),
          at: Time.meta({ description: 'The last one.' }),
          count: z.int(),
        }),
      )
      .meta({ description: 'Recorded for EventBridge.' }),
  })
  .meta({ id: 'JourneyDiagnostics' });
export type JourneyDiagnostics = z.infer<typeof JourneyDiagnostics>;

export const verdicts = [
  'ended',
  'waitingForFirstPosition',
  'noUpdateReceived',
  'phoneProblem',
  'refusedMocked',
  'refusedImplausible',
  'secondPhone',
  'refusedStale',
  'refusedRate',
  'refusedInvalid',
  'coarseOnly',
  'homeUnreadable',
  'studentForbidden',
  'studentNotPolling',
  'ok',
] as const;
export type Verdict = (typeof verdicts)[number];

export const Diagnosis = z
  .object({
    verdict: z.enum(verdicts),
    message: z.string().meta({ description: 'One sentence for the agent.' }),
  })
  .meta({ id: 'Diagnosis' });
export type Diagnosis = z.infer<typeof Diagnosis>;

export const DiagnosedJourney = z
  .object({
    ...journeyFields,
    isActive: z.boolean(),
    startedAt: Time.nullable(),
    expiresAt: Time.nullable(),
    endedAt: Time.nullable(),
    endedReason: z.enum(endReasons).nullable(),
    diagnosis: z.array(Diagnosis).meta({ description: 'The most important first.' }),
    diagnostics: JourneyDiagnostics,
    timeline: z.array(TimelineEntry).max(50).meta({ description: 'The oldest first; the newest 50.' }),
  })
  .meta({ id: 'DiagnosedJourney' });
export type DiagnosedJourney = z.infer<typeof DiagnosedJourney>;
