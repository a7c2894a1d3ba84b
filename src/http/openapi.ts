import { Router, type Request, type Response } from 'express';
import { createDocument } from 'zod-openapi';
import {
  TrainerJourneyEnded,
  TrainerJourneyStarted,
  TrainerLocationStale,
  TrainerNearby,
} from '../contract/events.js';
import * as operations from './openapi-operations.js';
import { methodNotAllowed } from './routes.js';

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
      '/api/v1/admin/sessions/{sessionId}/start-journey': { post: operations.startJourney },
      '/api/v1/admin/location-tracking/journey/updates': { post: operations.recordPosition },
      '/api/v1/admin/location-tracking/journey/live': { get: operations.watch },
      '/api/v1/admin/sessions/{sessionId}/arrived': { post: operations.arrive },
      '/api/v1/admin/sessions/{sessionId}/stop-journey': { post: operations.stop },
      '/health/live': { get: operations.healthLive },
      '/health/ready': { get: operations.healthReady },
    },
    webhooks: {
      TrainerJourneyStarted: {
        post: operations.eventOperation('EventBridge: a journey started.', TrainerJourneyStarted),
      },
      TrainerJourneyEnded: {
        post: operations.eventOperation('EventBridge: a journey ended.', TrainerJourneyEnded),
      },
      TrainerNearby: {
        post: operations.eventOperation('EventBridge: the trainer is near, once a journey.', TrainerNearby),
      },
      TrainerLocationStale: {
        post: operations.eventOperation(
          'EventBridge: a student looked at a position over 60 s old; at most one a minute and journey.',
          TrainerLocationStale,
        ),
      },
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
