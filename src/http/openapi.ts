import { Router } from 'express';
import type { z } from 'zod';
import { createDocument } from 'zod-openapi';
import {
  TrainerJourneyEnded,
  TrainerJourneyStarted,
  TrainerLocationStale,
  TrainerNearby,
} from '../contract/events.js';
import * as fleet from './openapi-fleet.js';
import * as operations from './openapi-operations.js';
import { methodNotAllowed } from './routes.js';

const time = '2026-12-01T10:08:30.000Z';
const webhooks = {
  TrainerJourneyStarted: event('TrainerJourneyStarted', 'a journey started.', TrainerJourneyStarted, {
    startTime: '2026-12-01T10:00:00.000Z',
  }),
  TrainerJourneyEnded: event('TrainerJourneyEnded', 'a journey ended.', TrainerJourneyEnded, {
    ...{ endTime: '2026-12-01T10:24:31.512Z', reason: 'arrived' },
  }),
  TrainerNearby: event('TrainerNearby', 'the trainer is nearby; once per journey.', TrainerNearby, {
    ...{ time, distanceMeters: 430 },
  }),
  TrainerLocationStale: event(
    'TrainerLocationStale',
    'a student saw a position over 60 s old; at most once a minute per journey.',
    TrainerLocationStale,
    { time, lastFixTime: '2026-12-01T10:07:12.000Z' },
  ),
};

function event(name: string, summary: string, detail: z.ZodType, example: object) {
  const eventId = '0b6f6a52-5a0f-8a53-a1c4-6a4c9be2b3d7';
  return {
    post: {
      operationId: `on${name}`,
      summary: `EventBridge: ${summary}`,
      security: [],
      tags: ['events'],
      requestBody: {
        content: {
          'application/json': { schema: detail, example: { eventId, ...operations.exampleIds, ...example } },
        },
      },
      responses: { '200': { description: 'Delivered at least once; eventId is the same in every repeat.' } },
    },
  };
}

const tags = [
  { name: 'journey', description: 'Start and end of a journey.' },
  { name: 'location', description: "The trainer's position: sent by the trainer, seen by the student." },
  { name: 'fleet', description: 'For support: all active journeys, and what is wrong with one.' },
  { name: 'health', description: 'For the load balancer.' },
  { name: 'events', description: 'What is published to EventBridge, by detail-type.' },
];

/** Generated from the schemas that validate. */
function openApiDocument() {
  return createDocument(
    {
      openapi: '3.1.0',
      info: {
        title: 'admin-service: student–trainer journeys and live location',
        version: '1.0.0',
        license: { name: 'Proprietary', identifier: 'LicenseRef-Proprietary' },
        description:
          'A trainer travels to a student; the phone posts its position, the student sees where the trainer is. All times are ISO 8601 UTC with milliseconds, distances metres, coordinates degrees WGS 84.',
      },
      servers: [{ url: '/' }],
      tags,
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
        '/api/v1/admin/sessions/{sessionId}/start-journey': { post: operations.startJourney },
        '/api/v1/admin/location-tracking/journey/updates': { post: operations.recordPosition },
        '/api/v1/admin/location-tracking/journey/live': { get: operations.watch },
        '/api/v1/admin/sessions/{sessionId}/arrived': { post: operations.arrive },
        '/api/v1/admin/sessions/{sessionId}/stop-journey': { post: operations.stop },
        '/api/v1/admin/location-tracking/journeys': { get: fleet.listJourneys },
        '/api/v1/admin/location-tracking/journeys/{sessionId}': { get: fleet.diagnoseJourney },
        '/health/live': { get: operations.healthLive },
        '/health/ready': { get: operations.healthReady },
      },
      webhooks,
    },
    {
      // The range of every JavaScript integer says nothing.
      override: ({ jsonSchema }) => {
        if (jsonSchema.minimum !== Number.MIN_SAFE_INTEGER) return;
        delete jsonSchema.minimum;
        delete jsonSchema.maximum;
      },
    },
  );
}

export function openApiRoutes(): Router {
  const document = JSON.stringify(openApiDocument());
  const router = Router();
  router.all('/openapi.json', (req, _res, next) => {
    req.routeLabel = '/openapi.json';
    next();
  });
  router.get('/openapi.json', (req, res) => {
    res
      .type('application/json')
      .set({ 'Cache-Control': 'no-cache', 'X-Request-Id': req.requestId })
      .send(document);
  });
  router.all('/openapi.json', () => {
    throw methodNotAllowed('GET, HEAD');
  });
  return router;
}
