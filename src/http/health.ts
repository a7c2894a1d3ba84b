import { Router, type Request, type Response } from 'express';
import { ApiError, send, success, type Answer } from './responses.js';
import { methodNotAllowed } from './routes.js';

export interface HealthDependencies {
  /** Each resolves where its dependency answers in time. */
  pingRedis: () => Promise<unknown>;
  pingPostgres: () => Promise<unknown>;
  isDraining: () => boolean;
}

/** Anybody may ask, so the dependencies are asked at most this often. */
const REMEMBER_FOR_MS = 500;

export function healthRoutes({ pingRedis, pingPostgres, isDraining }: HealthDependencies): Router {
  const router = Router();
  let asked: { atMs: number; answer: Promise<Answer> } | undefined;

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
    if (asked === undefined || performance.now() - asked.atMs > REMEMBER_FOR_MS) {
      asked = { atMs: performance.now(), answer: readiness(pingRedis, pingPostgres) };
    }
    send(req, res, await asked.answer);
  });

  router.all(['/health/live', '/health/ready'], () => {
    throw methodNotAllowed('GET, HEAD');
  });
  return router;
}

/** Live journeys need only Redis, so Postgres away is worth knowing but no reason to take the process out. */
async function readiness(
  pingRedis: () => Promise<unknown>,
  pingPostgres: () => Promise<unknown>,
): Promise<Answer> {
  const [redis, postgres] = await Promise.all([stateOf(pingRedis), stateOf(pingPostgres)]);
  if (redis === 'down') {
    return new ApiError(
      'STATE_UNAVAILABLE',
      'Redis does not answer.',
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
