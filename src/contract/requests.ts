import { z } from 'zod';
import { SessionId } from './identifiers.js';

export const SessionParams = z.object({ sessionId: SessionId });

export const LiveQuery = z.object({ sessionId: SessionId });

const Sequence = z
  .int()
  .min(0)
  .nullish()
  .meta({ description: 'Increases within a journey; gaps are allowed.' });

/** Not z.number(), which refuses the infinity that JSON.parse makes of 1e999. */
function optionalNumber(description: string) {
  return z
    .custom<number | null | undefined>(
      (value) => value === undefined || value === null || typeof value === 'number',
      'must be a number',
    )
    .meta({
      override: { type: ['number', 'null'] },
      description: `${description} Null or negative: unknown.`,
    })
    .optional();
}

/**
 * The body of a position update: degrees WGS 84, metres, metres per second, degrees clockwise from north. An optional
 * field must not cost the phone its position: what phones send for "unknown" is absent.
 */
export const PositionUpdate = z
  .object({
    sessionId: SessionId,
    latitude: z.number().min(-90).max(90).meta({ description: 'Degrees, WGS 84.', example: 12.971599 }),
    longitude: z.number().min(-180).max(180).meta({ description: 'Degrees, WGS 84.', example: 77.594566 }),
    accuracy: optionalNumber('Accuracy radius in metres.'),
    speed: optionalNumber('Speed in metres per second.'),
    heading: optionalNumber('Degrees clockwise from north. Over 360: unknown.'),
    sequence: Sequence,
    ageMs: optionalNumber(
      'Age of the fix when it was sent, in milliseconds, measured with a monotonic clock. Rounded.',
    ),
    mocked: z.boolean().nullish().meta({ description: 'True if the phone reports a mock location.' }),
  })
  // One function for all fields, because a transform of each would double the cost.
  .transform((body, { issues }) => {
    const { sessionId, latitude, longitude, accuracy, speed, heading, sequence, ageMs, mocked } = body;
    if (latitude === 0 && longitude === 0) issues.push(...noFix(body));
    return {
      sessionId,
      latitude,
      longitude,
      // An infinite radius is coarse; unknown would be precise.
      accuracy: accuracy === Infinity ? Number.MAX_VALUE : known(accuracy, Number.MAX_VALUE),
      speed: known(speed, Number.MAX_VALUE),
      heading: known(heading, 360),
      sequence: sequence ?? undefined,
      ageMs: Math.min(Math.round(known(ageMs, Infinity) ?? 0), Number.MAX_SAFE_INTEGER),
      mocked: mocked ?? false,
    };
  })
  .meta({ id: 'PositionUpdate', description: 'Exactly 0,0 is refused: phones report it without a fix.' });

function known(value: number | null | undefined, max: number): number | undefined {
  return value === undefined || value === null || value < 0 || value > max ? undefined : value;
}

function noFix(input: object): z.core.$ZodRawIssue[] {
  return ['latitude', 'longitude'].map((field) => ({
    code: 'custom',
    path: [field],
    message: 'must not be 0 if both are: phones report 0,0 without a fix',
    input,
  }));
}

export type PositionUpdate = z.output<typeof PositionUpdate>;
/** The body before validation. */
export type PositionUpdateBody = z.input<typeof PositionUpdate>;

export const trainerProblems = ['noFix', 'permission', 'reducedAccuracy', 'lowPower'] as const;
export type TrainerProblem = (typeof trainerProblems)[number];

/** The body of an update without coordinates, from a phone that has nothing new to send. */
export const Heartbeat = z
  .object({
    sessionId: SessionId,
    sequence: Sequence,
    still: z.boolean().nullish().meta({
      description: 'True: the phone has not moved since its last accepted position.',
    }),
    problem: z.enum(trainerProblems).nullish().meta({
      description: 'Why the phone has no usable position. Counts instead of still.',
    }),
  })
  .transform(({ sessionId, sequence, problem }) => {
    const heartbeat: HeartbeatKind = problem ?? 'still';
    return { sessionId, sequence: sequence ?? undefined, heartbeat };
  })
  .meta({ id: 'Heartbeat', description: 'Has still or problem, and no coordinates.' });
export type HeartbeatKind = 'still' | TrainerProblem;
export type Heartbeat = z.output<typeof Heartbeat>;

/** Coordinates make an update a position; without them and without still and problem they are what is missing. */
export function updateSchemaOf(body: unknown): typeof PositionUpdate | typeof Heartbeat {
  const { latitude, longitude, still, problem } = (body ?? {}) as Record<string, unknown>;
  const isHeartbeat =
    (latitude ?? longitude ?? null) === null && ((still ?? false) !== false || (problem ?? null) !== null);
  return isHeartbeat ? Heartbeat : PositionUpdate;
}

export const IdempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,128}$/, 'must be 1 to 128 visible ASCII characters')
  .optional()
  .meta({
    description:
      'A repeated request of the same caller with the same key gets the first response, also after the end of the journey. Stored for 65 minutes.',
  });
