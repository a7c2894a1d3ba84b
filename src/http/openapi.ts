import { Router } from 'express';
import { createDocument } from 'zod-openapi';
import {
  TrainerJourneyEnded,
  TrainerJourneyStarted,
  TrainerLocationStale,
  TrainerNearby,
} from '../contract/events.js';
import * as operations from './openapi-operations.js';
import { methodNotAllowed } from './routes.js';

const webhooks = {
  TrainerJourneyStarted: {
    post: operations.eventOperation('EventBridge: a journey started.', TrainerJourneyStarted),
  },
  TrainerJourneyEnded: {
    post: operations.eventOperation('EventBridge: a journey ended.', TrainerJourneyEnded),
  },
  TrainerNearby: {
    post: operations.eventOperation('EventBridge: the trainer is nearby; once per journey.', TrainerNearby),
  },
  TrainerLocationStale: {
    post: operations.eventOperation(
      'EventBridge: a student saw a position over 60 s old; at most once a minute per journey.',
      TrainerLocationStale,
    ),
  },
};

/** Generated from the schemas that validate. */
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
      '/api/v1/admin/sessions/{sessionId}/start-journey': { post: operations.startJourney },
      '/api/v1/admin/location-tracking/journey/updates': { post: operations.recordPosition },
      '/api/v1/admin/location-tracking/journey/live': { get: operations.watch },
      '/api/v1/admin/sessions/{sessionId}/arrived': { post: operations.arrive },
      '/api/v1/admin/sessions/{sessionId}/stop-journey': { post: operations.stop },
      '/health/live': { get: operations.healthLive },
      '/health/ready': { get: operations.healthReady },
    },
    webhooks,
  });
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
