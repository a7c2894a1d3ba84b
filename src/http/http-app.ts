import cors from 'cors';
import express, { type Express, type RequestHandler } from 'express';
import type { Logger } from 'pino';
import { healthRoutes, type HealthDependencies } from './health.js';
import { drainingBy } from './middleware/draining.js';
import { errorHandler } from './middleware/errors.js';
import { requestContext, type CompletedRequest } from './middleware/request-context.js';
import { openApiRoutes } from './openapi.js';
import { ApiError } from './responses.js';
import { addJourneyRoutes, type RoutesDependencies } from './routes.js';

export interface HttpAppDependencies extends Omit<RoutesDependencies, 'closeIfDraining'> {
  health: HealthDependencies;
  corsOrigins: string[];
  /** Number of proxies in front, for the caller's address. */
  trustedProxies: number;
  isDraining: () => boolean;
  onCompleted: (request: CompletedRequest) => void;
  logger: Logger;
}

export function createHttpApp(dependencies: HttpAppDependencies): Express {
  const { corsOrigins, trustedProxies, isDraining, health, logger } = dependencies;
  const closeIfDraining = drainingBy(isDraining);
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.set('case sensitive routing', true);
  app.set('trust proxy', trustedProxies);

  if (corsOrigins.length > 0) app.use(allowOrigins(corsOrigins));
  app.use(requestContext(dependencies.onCompleted, closeIfDraining));
  addJourneyRoutes(app, { ...dependencies, closeIfDraining });
  app.use(healthRoutes(health));
  app.use(openApiRoutes());
  app.use(() => {
    throw new ApiError('NOT_FOUND', 'No such route. See /openapi.json.');
  });
  app.use(errorHandler(logger));
  return app;
}

function allowOrigins(origins: string[]): RequestHandler {
  return cors({
    origin: origins.map(originPattern),
    // No allowedHeaders: whatever is requested is allowed, such as the headers of tracing libraries.
    exposedHeaders: [
      'ETag',
      'Retry-After',
      'Idempotency-Replayed',
      'Location-Age-Ms',
      'Next-Poll-Ms',
      'Preference-Applied',
      'X-Request-Id',
    ],
    maxAge: 600,
  });
}

/** `https://*.example.com` is any subdomain at any depth, as in a Content-Security-Policy, and not example.com itself. */
function originPattern(origin: string): string | RegExp {
  if (!origin.includes('*')) return origin;
  const escaped = origin.replaceAll('.', String.raw`\.`);
  return new RegExp(`^${escaped.replace('*', String.raw`[\w-]+(?:\.[\w-]+)*`)}$`);
}
