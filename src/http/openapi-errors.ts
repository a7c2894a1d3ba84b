/** The error responses of the OpenAPI document: one schema and one example per code. */
import { z } from 'zod';
import type { ZodOpenApiResponsesObject } from 'zod-openapi';
import { errorDetails, type ErrorCode } from '../contract/errors.js';
import { statusOf } from './statuses.js';

/** Of every authenticated call. */
export const commonErrors: ErrorCode[] = [
  'VALIDATION_FAILED',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'METHOD_NOT_ALLOWED',
  'INTERNAL_ERROR',
  'STATE_UNAVAILABLE',
];

const seconds = (description: string) => z.object({ 'Retry-After': z.string().meta({ description }) });
const headersOf: Partial<Record<ErrorCode, z.ZodObject>> = {
  UNAUTHENTICATED: z.object({ 'WWW-Authenticate': z.literal('Bearer') }),
  METHOD_NOT_ALLOWED: z.object({ Allow: z.string() }),
  RATE_LIMITED: seconds('Whole seconds, rounded up.'),
  STATE_UNAVAILABLE: seconds('Whole seconds.'),
};

const examples: Record<ErrorCode, { message: string; details?: unknown }> = {
  VALIDATION_FAILED: {
    message: 'Validation failed: sessionId.',
    details: [{ path: 'sessionId', message: 'must be a UUID' }],
  },
  SESSION_NOT_STARTABLE: {
    message: 'The session must be scheduled or pending_verification and have a student.',
    details: { status: 'completed' },
  },
  LOCATION_IMPLAUSIBLE: {
    message: 'The position implies a speed over 120 km/h.',
    details: { maxSpeedKmh: 120 },
  },
  LOCATION_MOCKED: { message: 'Mock locations are not accepted. Turn them off.' },
  NOT_AT_DESTINATION: {
    message: "The last position is too far from the student's home.",
    details: { distance: 412, maxDistance: 150 },
  },
  LOCATION_UNKNOWN: { message: 'There is no recent, precise position. Send one and retry.' },
  UNAUTHENTICATED: { message: 'The token is not valid.' },
  FORBIDDEN: { message: 'You do not have access to this session.' },
  SESSION_NOT_FOUND: { message: 'The session does not exist.' },
  JOURNEY_NOT_ACTIVE: { message: 'The session has no active journey.' },
  NOT_FOUND: { message: 'No such route. See /openapi.json.' },
  METHOD_NOT_ALLOWED: { message: 'Allowed methods: POST.' },
  PAYLOAD_TOO_LARGE: { message: 'The body exceeds 16 KiB.', details: { maxBytes: 16_384 } },
  UNSUPPORTED_MEDIA_TYPE: { message: 'Send Content-Type: application/json in UTF-8.' },
  JOURNEY_ALREADY_ACTIVE: {
    message: 'The journey is already active.',
    details: {
      startedAt: '2026-12-01T10:00:00.000Z',
      expiresAt: '2026-12-01T11:00:00.000Z',
      lastSequence: 41,
    },
  },
  LOCATION_STALE: {
    message: 'The position is older than the last accepted one, or too old. Send the next one.',
    details: { lastSequence: 41 },
  },
  JOURNEY_ENDED: {
    message: 'The journey has ended.',
    details: { reason: 'arrived', endedAt: '2026-12-01T10:24:31.512Z' },
  },
  RATE_LIMITED: { message: 'Too many requests. Retry after the pause.', details: { retryAfterMs: 2_400 } },
  INTERNAL_ERROR: { message: 'An unexpected error occurred.' },
  STATE_UNAVAILABLE: { message: 'The service is temporarily unavailable. Retry.' },
};

const schemas = new Map<ErrorCode, z.ZodObject>();

function schemaOf(code: ErrorCode): z.ZodObject {
  let schema = schemas.get(code);
  if (schema === undefined) {
    const details = errorDetails[code];
    const error = { code: z.literal(code), requestId: z.string(), ...(details && { details }) };
    const name = code.toLowerCase().replace(/(?:^|_)(\w)/g, (_match, letter: string) => letter.toUpperCase());
    schema = z
      .object({ success: z.literal(false), message: z.string(), error: z.object(error) })
      .meta({ id: `${name}Error` });
    schemas.set(code, schema);
  }
  return schema;
}

function exampleOf(code: ErrorCode) {
  const { message, ...details } = examples[code];
  const requestId = '7d1b6f9e-0c52-4d0a-9a35-2f8f5f0f2b11';
  return { value: { success: false, message, error: { code, requestId, ...details } } };
}

/** One response per status. */
export function errors(...codes: ErrorCode[]): ZodOpenApiResponsesObject {
  const responses: ZodOpenApiResponsesObject = {};
  for (const status of new Set(codes.map((code) => statusOf[code]))) {
    const here = codes.filter((code) => statusOf[code] === status);
    const [first, ...others] = here.map(schemaOf);
    const headers = headersOf[here[0] as ErrorCode];
    responses[`${status}`] = {
      description: here.join(', '),
      ...(headers === undefined ? {} : { headers }),
      content: {
        'application/json': {
          schema: first === undefined || others.length > 0 ? z.union(here.map(schemaOf)) : first,
          examples: Object.fromEntries(here.map((code) => [code, exampleOf(code)])),
        },
      },
    };
  }
  return responses;
}
