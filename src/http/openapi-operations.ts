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
import type { ErrorCode } from '../contract/errors.js';
import { Heartbeat, IdempotencyKey, LiveQuery, PositionUpdate, SessionParams } from '../contract/requests.js';
import { commonErrors, errors } from './openapi-errors.js';

const sessionCallErrors: ErrorCode[] = [...commonErrors, 'PAYLOAD_TOO_LARGE'];
const journeyErrors: ErrorCode[] = ['JOURNEY_NOT_ACTIVE', 'JOURNEY_ENDED'];

const repeatHeaders = z.object({
  'Idempotency-Replayed': z
    .literal('true')
    .optional()
    .meta({ description: 'The response to the first call, repeated.' }),
});
const idempotencyHeader = z.object({ 'Idempotency-Key': IdempotencyKey });

/** Of the sample data. */
const exampleSession = { sessionId: '5e55a000-0000-4000-8000-000000000001' };
export const exampleIds = {
  ...exampleSession,
  trainerId: '7a100000-0000-4000-8000-000000000001',
  studentId: '57d00000-0000-4000-8000-000000000001',
};
export const exampleLocation = {
  ...{ latitude: 12.971599, longitude: 77.594566, accuracy: 8, speed: 7.5, heading: 90 },
  ...{ timestamp: '2026-12-01T10:08:30.000Z', sequence: 41 },
};
const startedAt = '2026-12-01T10:00:00.000Z';
const expiresAt = '2026-12-01T11:00:00.000Z';

export const startJourney: ZodOpenApiOperationObject = {
  operationId: 'startJourney',
  tags: ['journey'],
  summary: 'Start the journey of a session',
  description: "For the session's trainer. Of concurrent starts exactly one succeeds.",
  requestParams: { path: SessionParams, header: idempotencyHeader },
  responses: {
    '201': response(
      'The journey has started.',
      JourneyStarted,
      { ...exampleIds, startedAt, expiresAt, nextUpdateMs: 5_000 },
      repeatHeaders,
    ),
    ...errors(
      ...sessionCallErrors,
      'SESSION_NOT_STARTABLE',
      'SESSION_NOT_FOUND',
      'JOURNEY_ALREADY_ACTIVE',
      'RATE_LIMITED',
    ),
  },
};

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
  operationId: 'recordUpdate',
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
    '201': response('The position or heartbeat was accepted.', PositionRecorded, {
      ...exampleSession,
      timestamp: exampleLocation.timestamp,
      ttl: 300,
      nextUpdateMs: 5_000,
    }),
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
  operationId: 'watchJourney',
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
      {
        ...{ sessionId: exampleIds.sessionId, trainerId: exampleIds.trainerId, isActive: true },
        ...{ location: exampleLocation, lastUpdate: exampleLocation.timestamp, startedAt, expiresAt },
        ...{ distanceMeters: 1_480, etaSeconds: 312, etaLowSeconds: 240, etaHighSeconds: 420 },
        ...{ ageMs: 2_350, freshness: 'live', uncertaintyMeters: 26 },
        ...{ stillSeconds: null, trainerProblem: null, nextPollMs: 3_150 },
      },
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
  operationId: 'arrive',
  tags: ['journey'],
  summary: 'The trainer has arrived',
  description:
    "Ends the journey if the last precise position is near the student's home and at most 5 minutes old, 30 s beside a coarse one. After a jump, only once 120 km/h would have sufficed.",
  requestParams: { path: SessionParams, header: idempotencyHeader },
  responses: {
    '200': response(
      'The journey has ended.',
      JourneyArrived,
      { ...exampleSession, arrivedAt: '2026-12-01T10:24:31.512Z', distance: 22 },
      repeatHeaders,
    ),
    ...errors(...sessionCallErrors, ...journeyErrors, 'NOT_AT_DESTINATION', 'LOCATION_UNKNOWN'),
  },
};

export const stop: ZodOpenApiOperationObject = {
  operationId: 'stopJourney',
  tags: ['journey'],
  summary: 'Cancel the journey',
  description: "For the journey's trainer, or an admin.",
  requestParams: { path: SessionParams, header: idempotencyHeader },
  responses: {
    '200': response(
      'The journey has ended.',
      JourneyStopped,
      { ...exampleSession, stoppedAt: '2026-12-01T10:12:03.480Z' },
      repeatHeaders,
    ),
    ...errors(...sessionCallErrors, ...journeyErrors),
  },
};

const up = z.enum(['up', 'down']);
export const healthLive: ZodOpenApiOperationObject = {
  operationId: 'healthLive',
  tags: ['health'],
  summary: 'The process answers',
  description:
    'Checks no dependency, but is 503 until Redis has been reached once since the process started.',
  security: [],
  responses: {
    '200': response('The process answers.', z.object({ status: z.literal('live') }), { status: 'live' }),
    ...errors('METHOD_NOT_ALLOWED', 'STATE_UNAVAILABLE'),
  },
};
export const healthReady: ZodOpenApiOperationObject = {
  operationId: 'healthReady',
  tags: ['health'],
  summary: 'The process can serve',
  description: 'Degraded without Postgres: active journeys need only Redis.',
  security: [],
  responses: {
    '200': response(
      'The process can serve.',
      z.object({ status: z.enum(['ready', 'degraded']), redis: up, postgres: up }),
      { status: 'ready', redis: 'up', postgres: 'up' },
    ),
    ...errors('METHOD_NOT_ALLOWED', 'STATE_UNAVAILABLE'),
  },
};

export function response(
  description: string,
  data: z.ZodType,
  example: object,
  headers?: z.ZodObject,
): ZodOpenApiResponsesObject[`${1 | 2 | 3 | 4 | 5}${string}`] {
  const schema = z.object({ success: z.literal(true), data });
  return {
    description,
    ...(headers === undefined ? {} : { headers }),
    content: { 'application/json': { schema, example: { success: true, data: example } } },
  };
}
