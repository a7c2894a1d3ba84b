import { Router, type Request, type Response } from 'express';
import { ApiError, send, success, type ApiResponse } from './responses.js';
import { methodNotAllowed } from './routes.js';

export interface HealthDependencies {
  /** Whether Redis has answered since the process started. */
  wasRedisReached: () => boolean;
  /** Each rejects if its dependency does not answer in time. */
  pingRedis: () => Promise<unknown>;
  pingPostgres: () => Promise<unknown>;
  /** Whether the Redis user may do what the service does. */
  hasRedisRights: () => Promise<boolean>;
  isDraining: () => boolean;
}

type State = 'up' | 'down' | 'forbidden';

/** The endpoints are public, so their pings are limited. */
const CACHED_FOR_MS = 500;

export function healthRoutes(dependencies: HealthDependencies): Router {
  const router = Router();
  const redis = cached(() => redisState(dependencies));
  const postgres = cached(() => stateOf(dependencies.pingPostgres));
  let isLive = false;

  router.get('/health/live', async (req: Request, res: Response) => {
    req.routeLabel = '/health/live';
    // So that a release that cannot reach Redis never replaces one that can.
    isLive ||= dependencies.wasRedisReached() || (await redis()) !== 'down';
    send(req, res, isLive ? success(200, { status: 'live' }) : unavailable('starting', {}));
  });

  router.get('/health/ready', async (req: Request, res: Response) => {
    req.routeLabel = '/health/ready';
    if (dependencies.isDraining()) {
      send(req, res, unavailable('draining', {}));
      return;
    }
    const [redisIs, postgresIs] = await Promise.all([redis(), postgres()]);
    send(req, res, readiness(redisIs, postgresIs));
  });

  router.all(['/health/live', '/health/ready'], () => {
    throw methodNotAllowed('GET, HEAD');
  });
  return router;
}

/** Active journeys need only Redis, so without Postgres the process still serves. */
function readiness(redis: State, postgres: State): ApiResponse {
  if (redis !== 'up') return unavailable('unavailable', { redis, postgres });
  return success(200, { status: postgres === 'up' ? 'ready' : 'degraded', redis, postgres });
}

const messages = {
  starting: 'Redis has not been reached yet.',
  draining: 'The process is shutting down.',
  unavailable: 'Redis is unavailable, or its user lacks rights.',
};

function unavailable(status: keyof typeof messages, states: object): ApiError {
  return new ApiError('STATE_UNAVAILABLE', messages[status], { status, ...states }, { 'Retry-After': '1' });
}

function cached(read: () => Promise<State>): () => Promise<State> {
  let last: { atMs: number; state: Promise<State> } | undefined;
  return () => {
    if (last === undefined || performance.now() - last.atMs > CACHED_FOR_MS)
      last = { atMs: performance.now(), state: read() };
    return last.state;
  };
}

async function redisState({ pingRedis, hasRedisRights }: HealthDependencies): Promise<State> {
  const state = await stateOf(pingRedis);
  if (state === 'down') return state;
  return (await hasRedisRights().catch(() => false)) ? 'up' : 'forbidden';
}

async function stateOf(ping: () => Promise<unknown>): Promise<State> {
  try {
    await ping();
    return 'up';
  } catch {
    return 'down';
  }
}
