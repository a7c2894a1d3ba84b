import { Router, type Request, type Response } from 'express';
import { z } from 'zod';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiResponsesObject } from 'zod-openapi';
import {
  JourneyArrived,
  JourneyStarted,
  JourneyStopped,
  LiveJourney,
  PositionRecorded,
} from '../contract/answers.js';
import { ErrorAnswer, type ErrorCode } from '../contract/errors.js';
import { TrainerJourneyEnded, TrainerJourneyStarted } from '../contract/events.js';
import { IdempotencyKey, LiveQuery, PositionUpdate, SessionParams } from '../contract/requests.js';
import { methodNotAllowed } from './routes.js';
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
  STATE_UNAVAILABLE: z.object({ 'Retry-After': z.string() }),
};

/** Made from the schemas that validate, so it says what the service does. */
function openApiDocument() {
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'admin-service: student–trainer journeys and live location',
      version: '1.0.0',
      description:
        'A trainer travels to a student; the phone posts its position, the student sees where the trainer is. All times are ISO 8601 UTC with milliseconds, distances metres, coordinates degrees WGS 84.',
    },
    security: [{ token: [] }],
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'sub: the user; role: trainer, student or admin.',
        },
      },
    },
    paths: {
      '/api/v1/admin/sessions/{sessionId}/start-journey': { post: startJourney },
      '/api/v1/admin/location-tracking/journey/updates': { post: recordPosition },
      '/api/v1/admin/location-tracking/journey/live': { get: watch },
      '/api/v1/admin/sessions/{sessionId}/arrived': { post: arrive },
      '/api/v1/admin/sessions/{sessionId}/stop-journey': { post: stop },
      '/health/live': { get: healthLive },
      '/health/ready': { get: healthReady },
    },
    webhooks: {
      TrainerJourneyStarted: {
        post: eventOperation('EventBridge: a journey started.', TrainerJourneyStarted),
      },
      TrainerJourneyEnded: { post: eventOperation('EventBridge: a journey ended.', TrainerJourneyEnded) },
    },
  });
}

export function openApiRoutes(): Router {
  const document = JSON.stringify(openApiDocument());
  const router = Router();
  router.get('/openapi.json', (req: Request, res: Response) => {
    req.routeLabel = '/openapi.json';
    res
      .type('application/json')
      .set({ 'Cache-Control': 'no-cache', 'X-Request-Id': req.requestId })
      .send(document);
  });
  router.all('/openapi.json', (req: Request) => {
    req.routeLabel = '/openapi.json';
    throw methodNotAllowed('GET, HEAD');
  });
  return router;
}

const repeatHeaders = z.object({
  'Idempotency-Replayed': z
    .literal('true')
    .optional()
    .meta({ description: 'This is the first answer again.' }),
});
const idempotencyHeader = z.object({ 'Idempotency-Key': IdempotencyKey });

const startJourney: ZodOpenApiOperationObject = {
  tags: ['journey'],
  summary: 'Start the journey of a session',
  description: "By the session's trainer. Of simultaneous starts exactly one wins.",
  requestParams: { path: SessionParams, header: idempotencyHeader },
  responses: {
    '201': answer('The journey has started.', JourneyStarted, repeatHeaders),
    ...errors(...ofSessionCalls, 'SESSION_NOT_STARTABLE', 'SESSION_NOT_FOUND', 'JOURNEY_ALREADY_ACTIVE'),
  },
};

const recordPosition: ZodOpenApiOperationObject = {
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

const watch: ZodOpenApiOperationObject = {
  tags: ['location'],
  summary: 'Where the trainer is',
  description:
    "For the session's student, its trainer, or an admin. With If-None-Match, 304 where nothing has changed.",
  requestParams: { query: LiveQuery, header: z.object({ 'If-None-Match': z.string().optional() }) },
  responses: {
    '200': answer(
      'The state of the journey.',
      LiveJourney,
      z.object({ ETag: z.string(), 'Cache-Control': z.string() }),
    ),
    '304': { description: 'Nothing has changed since the state that If-None-Match names.' },
    ...errors(...everywhere, 'SESSION_NOT_FOUND'),
  },
};

const arrive: ZodOpenApiOperationObject = {
  tags: ['journey'],
  summary: 'The trainer has arrived',
  description: "Ends the journey if the last position is near the student's home.",
  requestParams: { path: SessionParams, header: idempotencyHeader },
  responses: {
    '200': answer('The journey has ended.', JourneyArrived, repeatHeaders),
    ...errors(...ofSessionCalls, ...ofJourney, 'NOT_AT_DESTINATION', 'LOCATION_UNKNOWN'),
  },
};

const stop: ZodOpenApiOperationObject = {
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
const healthLive: ZodOpenApiOperationObject = {
  tags: ['health'],
  summary: 'The process answers',
  security: [],
  responses: {
    '200': answer('It does.', z.object({ status: z.literal('live') })),
    ...errors('METHOD_NOT_ALLOWED'),
  },
};
const healthReady: ZodOpenApiOperationObject = {
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

function eventOperation(summary: string, detail: z.ZodType): ZodOpenApiOperationObject {
  return {
    summary,
    security: [],
    tags: ['events'],
    requestBody: { content: { 'application/json': { schema: detail } } },
    responses: { '200': { description: 'Delivered at least once; eventId is the same in every repeat.' } },
  };
}
