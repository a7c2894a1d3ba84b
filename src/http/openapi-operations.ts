/** The calls of the OpenAPI document, one constant each. */
import { z } from 'zod';
import type { ZodOpenApiOperationObject, ZodOpenApiResponsesObject } from 'zod-openapi';
import {
  JourneyArrived,
  JourneyStarted,
  JourneyStopped,
  LiveJourney,
  PositionRecorded,
} from '../contract/responses.js';
import { ErrorAnswer, type ErrorCode } from '../contract/errors.js';
import { IdempotencyKey, LiveQuery, PositionUpdate, SessionParams } from '../contract/requests.js';
import { statusOf } from './statuses.js';

const everywhere: ErrorCode[] = [
  'VALIDATION_FAILED',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'METHOD_NOT_ALLOWED',
  'INTERNAL_ERROR',
  'STATE_UNAVAILABLE',
];
const ofSessionCalls: ErrorCode[] = [...everywhere, 'PAYLOAD_TOO_LARGE'];
const ofJourney: ErrorCode[] = ['JOURNEY_NOT_ACTIVE', 'JOURNEY_ENDED'];

const headersOf: Partial<Record<ErrorCode, z.ZodObject>> = {
  UNAUTHENTICATED: z.object({ 'WWW-Authenticate': z.literal('Bearer') }),
  METHOD_NOT_ALLOWED: z.object({ Allow: z.string() }),
  RATE_LIMITED: z.object({ 'Retry-After': z.string().meta({ description: 'Whole seconds, rounded up.' }) }),
  STATE_UNAVAILABLE: z.object({
    'Retry-After': z.string().meta({
      description:
        'Whole seconds: 1 while a dependency is away, 3 to 7 where there were too many requests at once and this one was not looked at.',
    }),
  }),
};

const repeatHeaders = z.object({
  'Idempotency-Replayed': z
    .literal('true')
    .optional()
    .meta({ description: 'This is the first answer again.' }),
});
const idempotencyHeader = z.object({ 'Idempotency-Key': IdempotencyKey });

export const startJourney: ZodOpenApiOperationObject = {
  tags: ['journey'],
  summary: 'Start the journey of a session',
  description: "By the session's trainer. Of simultaneous starts exactly one wins.",
  requestParams: { path: SessionParams, header: idempotencyHeader },
  responses: {
    '201': answer('The journey has started.', JourneyStarted, repeatHeaders),
    ...errors(
      ...ofSessionCalls,
      'SESSION_NOT_STARTABLE',
      'SESSION_NOT_FOUND',
      'JOURNEY_ALREADY_ACTIVE',
      'RATE_LIMITED',
    ),
  },
};

export const recordPosition: ZodOpenApiOperationObject = {
  tags: ['location'],
  summary: "Post the trainer's position",
  description:
    'One update per 5 s per trainer, long-run. A repeat of the last sequence gets the first answer again.',
  requestBody: { required: true, content: { 'application/json': { schema: PositionUpdate } } },
  responses: {
    '201': answer('The position is taken.', PositionRecorded),
    ...errors(
      ...ofSessionCalls,
      ...ofJourney,
      'UNSUPPORTED_MEDIA_TYPE',
      'LOCATION_MOCKED',
      'LOCATION_STALE',
      'RATE_LIMITED',
      'LOCATION_IMPLAUSIBLE',
    ),
  },
};

const waitHeaders = {
  'Preference-Applied': z.string().optional().meta({ description: 'The wait that was granted: wait=N.' }),
};

export const watch: ZodOpenApiOperationObject = {
  tags: ['location'],
  summary: 'Where the trainer is',
  description:
    "For the session's student, its trainer, or an admin. With If-None-Match, 304 where nothing has changed. With Prefer: wait=N as well, the answer is held until something changes or N seconds have passed; without Preference-Applied in it the wait was not granted: poll by nextPollMs then.",
  requestParams: {
    query: LiveQuery,
    header: z.object({
      'If-None-Match': z.string().optional(),
      Prefer: z
        .string()
        .optional()
        .meta({ description: 'RFC 7240: wait=N, N up to 25 seconds.', example: 'wait=25' }),
    }),
  },
  responses: {
    '200': answer(
      'The state of the journey.',
      LiveJourney,
      z.object({ ETag: z.string(), 'Cache-Control': z.string(), ...waitHeaders }),
    ),
    '304': {
      description: 'Nothing has changed since the state that If-None-Match names.',
      headers: z.object({
        ETag: z.string(),
        'Next-Poll-Ms': z
          .string()
          .meta({ description: 'When the next poll is worth while, in milliseconds.' }),
        ...waitHeaders,
      }),
    },
    ...errors(...everywhere, 'SESSION_NOT_FOUND', 'RATE_LIMITED'),
  },
};

export const arrive: ZodOpenApiOperationObject = {
  tags: ['journey'],
  summary: 'The trainer has arrived',
  description: "Ends the journey if the last position is near the student's home.",
  requestParams: { path: SessionParams, header: idempotencyHeader },
  responses: {
    '200': answer('The journey has ended.', JourneyArrived, repeatHeaders),
    ...errors(...ofSessionCalls, ...ofJourney, 'NOT_AT_DESTINATION', 'LOCATION_UNKNOWN'),
  },
};

export const stop: ZodOpenApiOperationObject = {
  tags: ['journey'],
  summary: 'Cancel the journey',
  description: "By the journey's trainer, or an admin.",
  requestParams: { path: SessionParams, header: idempotencyHeader },
  responses: {
    '200': answer('The journey has ended.', JourneyStopped, repeatHeaders),
    ...errors(...ofSessionCalls, ...ofJourney),
  },
};

const up = z.enum(['up', 'down']);
export const healthLive: ZodOpenApiOperationObject = {
  tags: ['health'],
  summary: 'The process answers',
  security: [],
  responses: {
    '200': answer('It does.', z.object({ status: z.literal('live') })),
    ...errors('METHOD_NOT_ALLOWED'),
  },
};
export const healthReady: ZodOpenApiOperationObject = {
  tags: ['health'],
  summary: 'The process can serve',
  description: 'Without Postgres it is degraded: journeys that are under way need only Redis.',
  security: [],
  responses: {
    '200': answer('It can.', z.object({ status: z.enum(['ready', 'degraded']), redis: up, postgres: up })),
    ...errors('METHOD_NOT_ALLOWED', 'STATE_UNAVAILABLE'),
  },
};

function answer(
  description: string,
  data: z.ZodType,
  headers?: z.ZodObject,
): ZodOpenApiResponsesObject[`${1 | 2 | 3 | 4 | 5}${string}`] {
  const schema = z.object({ success: z.literal(true), data });
  return {
    description,
    ...(headers === undefined ? {} : { headers }),
    content: { 'application/json': { schema } },
  };
}

/** One response a status, naming its codes. */
function errors(...codes: ErrorCode[]): ZodOpenApiResponsesObject {
  const responses: ZodOpenApiResponsesObject = {};
  for (const status of new Set(codes.map((code) => statusOf[code]))) {
    const here = codes.filter((code) => statusOf[code] === status);
    const headers = headersOf[here[0] as ErrorCode];
    responses[`${status}`] = {
      description: here.join(', '),
      ...(headers === undefined ? {} : { headers }),
      content: { 'application/json': { schema: ErrorAnswer } },
    };
  }
  return responses;
}

export function eventOperation(summary: string, detail: z.ZodType): ZodOpenApiOperationObject {
  return {
    summary,
    security: [],
    tags: ['events'],
    requestBody: { content: { 'application/json': { schema: detail } } },
    responses: { '200': { description: 'Delivered at least once; eventId is the same in every repeat.' } },
  };
}
