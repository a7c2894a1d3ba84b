import { z } from 'zod';
import { endReasons } from './events.js';
import { Time } from './responses.js';

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

const Sequence = z.int().nullable().meta({ description: 'The phone continues above it. Null: none yet.' });

/** The details of each code that has any. */
export const errorDetails: Partial<Record<ErrorCode, z.ZodType>> = {
  VALIDATION_FAILED: z.array(FieldProblem),
  SESSION_NOT_STARTABLE: z.object({ status: z.string() }),
  LOCATION_IMPLAUSIBLE: z.object({ maxSpeedKmh: z.number() }),
  NOT_AT_DESTINATION: z
    .object({ distance: z.int(), maxDistance: z.number() })
    .meta({ description: 'Metres.' }),
  PAYLOAD_TOO_LARGE: z.object({ maxBytes: z.int() }),
  JOURNEY_ALREADY_ACTIVE: z.object({ startedAt: Time, expiresAt: Time, lastSequence: Sequence }),
  LOCATION_STALE: z.object({ lastSequence: Sequence }),
  JOURNEY_ENDED: z
    .object({ reason: z.enum(endReasons), endedAt: Time })
    .optional()
    .meta({ description: 'Only for the trainer of the journey and admins.' }),
  RATE_LIMITED: z.object({ retryAfterMs: z.number() }),
};

/** Of any code, for callers that read the code first. */
export const ErrorAnswer = z.object({
  success: z.literal(false),
  message: z.string(),
  error: z.object({
    code: z.enum(errorCodes),
    requestId: z.string(),
    details: z.union([z.array(FieldProblem), z.record(z.string(), z.unknown())]).optional(),
  }),
});
export type ErrorAnswer = z.infer<typeof ErrorAnswer>;
