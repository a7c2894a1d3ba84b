import { z } from 'zod';

export const errorCodes = [
  'VALIDATION_FAILED',
  'SESSION_NOT_STARTABLE',
  'LOCATION_IMPLAUSIBLE',
  'LOCATION_MOCKED',
  'NOT_AT_DESTINATION',
  'LOCATION_UNKNOWN',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'SESSION_NOT_FOUND',
  'JOURNEY_NOT_ACTIVE',
  'NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'JOURNEY_ALREADY_ACTIVE',
  'LOCATION_STALE',
  'JOURNEY_ENDED',
  'RATE_LIMITED',
  'INTERNAL_ERROR',
  'STATE_UNAVAILABLE',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

/** An invalid field: its path and what it must be. */
export const FieldProblem = z.object({ path: z.string(), message: z.string() }).meta({ id: 'FieldProblem' });
export type FieldProblem = z.infer<typeof FieldProblem>;

export const ErrorAnswer = z
  .object({
    success: z.literal(false),
    message: z.string(),
    error: z.object({
      code: z.enum(errorCodes),
      requestId: z.string(),
      details: z
        .union([z.array(FieldProblem), z.record(z.string(), z.unknown())])
        .optional()
        .meta({
          description:
            'VALIDATION_FAILED: the invalid fields. JOURNEY_ENDED: reason and endedAt, only for the trainer of the journey and admins. JOURNEY_ALREADY_ACTIVE: startedAt, expiresAt and lastSequence, above which the phone continues (null: none yet). LOCATION_STALE: lastSequence. Other codes: an object, for example with retryAfterMs.',
        }),
    }),
  })
  .meta({ id: 'ErrorAnswer' });
export type ErrorAnswer = z.infer<typeof ErrorAnswer>;
