/** The operations of the OpenAPI document. */
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
import { Heartbeat, IdempotencyKey, LiveQuery, PositionUpdate, SessionParams } from '../contract/requests.js';
import { statusOf } from './statuses.js';

const commonErrors: ErrorCode[] = [
  'VALIDATION_FAILED',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'METHOD_NOT_ALLOWED',
  'INTERNAL_ERROR',
  'STATE_UNAVAILABLE',
];
const sessionCallErrors: ErrorCode[] = [...commonErrors, 'PAYLOAD_TOO_LARGE'];
const journeyErrors: ErrorCode[] = ['JOURNEY_NOT_ACTIVE', 'JOURNEY_ENDED'];

const headersOf: Partial<Record<ErrorCode, z.ZodObject>> = {
  UNAUTHENTICATED: z.object({ 'WWW-Authenticate': z.literal('Bearer') }),
  METHOD_NOT_ALLOWED: z.object({ Allow: z.string() }),
  RATE_LIMITED: z.object({ 'Retry-After': z.string().meta({ description: 'Whole seconds, rounded up.' }) }),
  STATE_UNAVAILABLE: z.object({
    'Retry-After': z.string().meta({
      description: 'Whole seconds.',
    }),
  }),
};

const repeatHeaders = z.object({
  'Idempotency-Replayed': z
    .literal('true')
    .optional()
    .meta({ description: 'The response to the first call, repeated.' }),
});
const idempotencyHeader = z.object({ 'Idempotency-Key': IdempotencyKey });

export const startJourney: ZodOpenApiOperationObject = {
  tags: ['journey'],
  summary: 'Start the journey of a session',
  description: "For the session's trainer. Of concurrent starts exactly one succeeds.",
  requestParams: { path: SessionParams, header: idempotencyHeader },
  responses: {
    '201': response('The journey has started.', JourneyStarted, repeatHeaders),
    ...errors(
      ...sessionCallErrors,
      'SESSION_NOT_STARTABLE',
      'SESSION_NOT_FOUND',
      'JOURNEY_ALREADY_ACTIVE',
      'RATE_LIMITED',
    ),
  },
};

const exampleSession = { sessionId: '3f2b8c1e-9d4a-4f6b-8a57-0c1d2e3f4a5b' };
const updateExamples = {
  position: {
    value: {
      ...exampleSession,
      latitude: 12.971599,
      longitude: 77.594566,
      accuracy: 8,
      sequence: 41,
      ageMs: 350,
    },
  },
  still: { summary: 'The trainer stands.', value: { ...exampleSession, sequence: 42, still: true } },
  problem: { summary: 'The phone has no fix.', value: { ...exampleSession, sequence: 43, problem: 'noFix' } },
};

export const recordPosition: ZodOpenApiOperationObject = {
  tags: ['location'],
  summary: "Post the trainer's position, or a heartbeat",
  description:
    'At most one update per 5 s per trainer, over all sessions, in the long run. A repeat of the last sequence and coordinates gets the first response again; with other coordinates it is LOCATION_STALE. A body without coordinates is a heartbeat: still renews the age of the last position (LOCATION_UNKNOWN without one), problem is shown as trainerProblem. With coordinates both are ignored. Optional fields may be null. A byte order mark, charset=utf8 and unknown media-type parameters are accepted; a Content-Encoding other than identity is not.',
  requestBody: {
    required: true,
    content: {
      'application/json': { schema: z.union([PositionUpdate, Heartbeat]), examples: updateExamples },
    },
  },
  responses: {
    '201': response('The position or heartbeat was accepted.', PositionRecorded),
    ...errors(
      ...sessionCallErrors,
      ...journeyErrors,
      'UNSUPPORTED_MEDIA_TYPE',
      'LOCATION_MOCKED',
      'LOCATION_UNKNOWN',
      'LOCATION_STALE',
      'RATE_LIMITED',
      'LOCATION_IMPLAUSIBLE',
    ),
  },
};

const waitHeaders = {
  'Preference-Applied': z.string().optional().meta({ description: 'The granted wait: wait=N.' }),
};

export const watch: ZodOpenApiOperationObject = {
  tags: ['location'],
  summary: 'Where the trainer is',
  description:
    "For the session's student, its trainer, or an admin. With If-None-Match: 304 if nothing has changed. Responses must not be stored (Cache-Control: no-store); keep the last one and its ETag in the app. With Prefer: wait=N in addition, the response is delayed until something changes or N seconds have passed. A response without Preference-Applied did not wait: poll again after nextPollMs.",
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
    '200': response(
      'The state of the journey.',
      LiveJourney,
      z.object({ ETag: z.string(), 'Cache-Control': z.string(), ...waitHeaders }),
    ),
    '304': {
      description: 'Nothing has changed since the state named by If-None-Match.',
      headers: z.object({
        ETag: z.string(),
        'Cache-Control': z.string(),
        'Next-Poll-Ms': z.string().meta({ description: 'When to poll again, in milliseconds.' }),
        'Location-Age-Ms': z
          .string()
          .optional()
          .meta({ description: 'Age of the fix in milliseconds, as ageMs; absent without a position.' }),
        ...waitHeaders,
      }),
    },
    ...errors(...commonErrors, 'SESSION_NOT_FOUND', 'RATE_LIMITED'),
  },
};

export const arrive: ZodOpenApiOperationObject = {
  tags: ['journey'],
  summary: 'The trainer has arrived',
  description:
    "Ends the journey if the last precise position is near the student's home and at most 5 minutes old, 30 s beside a coarse one. After a jump, only once 120 km/h would have sufficed.",
  requestParams: { path: SessionParams, header: idempotencyHeader },
  responses: {
    '200': response('The journey has ended.', JourneyArrived, repeatHeaders),
    ...errors(...sessionCallErrors, ...journeyErrors, 'NOT_AT_DESTINATION', 'LOCATION_UNKNOWN'),
  },
};

export const stop: ZodOpenApiOperationObject = {
  tags: ['journey'],
  summary: 'Cancel the journey',
  description: "For the journey's trainer, or an admin.",
  requestParams: { path: SessionParams, header: idempotencyHeader },
  responses: {
    '200': response('The journey has ended.', JourneyStopped, repeatHeaders),
    ...errors(...sessionCallErrors, ...journeyErrors),
  },
};

const up = z.enum(['up', 'down']);
export const healthLive: ZodOpenApiOperationObject = {
  tags: ['health'],
  summary: 'The process answers',
  description:
    'Checks no dependency, but is 503 until Redis has been reached once since the process started.',
  security: [],
  responses: {
    '200': response('The process answers.', z.object({ status: z.literal('live') })),
    ...errors('METHOD_NOT_ALLOWED', 'STATE_UNAVAILABLE'),
  },
};
export const healthReady: ZodOpenApiOperationObject = {
  tags: ['health'],
  summary: 'The process can serve',
  description: 'Degraded without Postgres: active journeys need only Redis.',
  security: [],
  responses: {
    '200': response(
      'The process can serve.',
      z.object({ status: z.enum(['ready', 'degraded']), redis: up, postgres: up }),
    ),
    ...errors('METHOD_NOT_ALLOWED', 'STATE_UNAVAILABLE'),
  },
};

function response(
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

/** One response per status, naming its codes. */
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
