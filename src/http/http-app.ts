import cors from 'cors';
import type { RequestListener } from 'node:http';
import express from 'express';
import type { Logger } from 'pino';
import { ApiError } from './responses.js';
import { answerErrors, errorAnswerer } from './middleware/errors.js';
import { healthRoutes, type HealthDependencies } from './health.js';
import { shedLoad, type LoadSheddingDependencies } from './middleware/load-shedding.js';
import { openApiRoutes } from './openapi.js';
import { requestContext, whenOver, type AnsweredRequest } from './middleware/request-context.js';
import { addJourneyRoutes, type RoutesDependencies } from './routes.js';

export interface AppDependencies extends Omit<RoutesDependencies, 'answerError' | 'whenOver'> {
  health: HealthDependencies;
  corsOrigins: string[];
  trustedProxies: number;
  onAnswered: (request: AnsweredRequest) => void;
  logger: Logger;
  load: Pick<LoadSheddingDependencies, 'waitingForRedis' | 'onShed'>;
}

/** The order in which a request goes through; the five calls come as early as they can. */
export function createApp(dependencies: AppDependencies): RequestListener {
  const { corsOrigins, trustedProxies, onAnswered, health, logger, load } = dependencies;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.set('case sensitive routing', true);
  app.set('trust proxy', trustedProxies);

  const crossOrigin = corsOrigins.length > 0 ? crossOriginFrom(corsOrigins) : undefined;
  const tell = whenOver(onAnswered);
  app.use(requestContext(tell));
  if (crossOrigin !== undefined) app.use(crossOrigin);
  const answerError = errorAnswerer(logger, dependencies.isDraining);
  addJourneyRoutes(app, { ...dependencies, answerError, whenOver: tell });
  app.use(healthRoutes(health));
  app.use(openApiRoutes());
  app.use(() => {
    throw new ApiError('NOT_FOUND', 'There is nothing at this address; /openapi.json lists what there is.');
  });
  app.use(answerErrors(answerError));
  return shedLoad(app, { ...load, crossOrigin, logger });
}

function crossOriginFrom(origins: string[]) {
  return cors({
    origin: origins,
    allowedHeaders: [
      'Authorization',
      'Content-Type',
      'Idempotency-Key',
      'If-None-Match',
      'Prefer',
      'X-Request-Id',
    ],
    exposedHeaders: [
      'ETag',
      'Retry-After',
      'Idempotency-Replayed',
      'Next-Poll-Ms',
      'Preference-Applied',
      'X-Request-Id',
    ],
    maxAge: 600,
  });
}
