import { Router, type Request, type Response } from 'express';
import { ApiError, send, success, type ApiResponse } from './responses.js';
import { methodNotAllowed } from './routes.js';

export interface HealthDependencies {
  /** Each rejects if its dependency does not answer in time. */
  pingRedis: () => Promise<unknown>;
  pingPostgres: () => Promise<unknown>;
  isDraining: () => boolean;
}

/** The endpoint is public, so its pings are limited. */
const CACHED_FOR_MS = 500;

export function healthRoutes({ pingRedis, pingPostgres, isDraining }: HealthDependencies): Router {
  const router = Router();
  let cached: { atMs: number; response: Promise<ApiResponse> } | undefined;

  router.get('/health/live', (req: Request, res: Response) => {
    req.routeLabel = '/health/live';
    send(req, res, success(200, { status: 'live' }));
  });

  router.get('/health/ready', async (req: Request, res: Response) => {
    req.routeLabel = '/health/ready';
    if (isDraining()) {
      send(
        req,
        res,
        new ApiError(
          'STATE_UNAVAILABLE',
          'The process is shutting down.',
          { status: 'draining' },
          { 'Retry-After': '1' },
        ),
      );
      return;
    }
    if (cached === undefined || performance.now() - cached.atMs > CACHED_FOR_MS) {
      cached = { atMs: performance.now(), response: readiness(pingRedis, pingPostgres) };
    }
    send(req, res, await cached.response);
  });

  router.all(['/health/live', '/health/ready'], () => {
    throw methodNotAllowed('GET, HEAD');
  });
  return router;
}

/** Active journeys need only Redis, so without Postgres the process still serves. */
async function readiness(
  pingRedis: () => Promise<unknown>,
  pingPostgres: () => Promise<unknown>,
): Promise<ApiResponse> {
  const [redis, postgres] = await Promise.all([stateOf(pingRedis), stateOf(pingPostgres)]);
  if (redis === 'down') {
    return new ApiError(
      'STATE_UNAVAILABLE',
      'Redis is unavailable.',
      { status: 'unavailable', redis, postgres },
      { 'Retry-After': '1' },
    );
  }
  return success(200, { status: postgres === 'up' ? 'ready' : 'degraded', redis, postgres });
}

async function stateOf(ping: () => Promise<unknown>): Promise<'up' | 'down'> {
  try {
    await ping();
    return 'up';
  } catch {
    return 'down';
  }
}
