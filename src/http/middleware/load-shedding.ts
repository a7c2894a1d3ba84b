import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import { ApiError, send } from '../responses.js';
import { requestIdOf } from './request-context.js';

/** Requests read in the event loop's present turn wait behind each other; past this time the rest is refused. */
const MAX_TURN_MS = 100;
/** A turn with fewer requests was slow for another reason than their number. */
const MIN_REQUESTS_OF_A_TURN = 500;
/** Beyond this a call to Redis would exceed its timeout. */
const MAX_REDIS_CALLS_IN_FLIGHT = 2_000;
/** In rotation, so that refused callers do not return together. */
const RETRY_AFTER_SECONDS = [4, 6, 3, 5, 7];
const LOG_INTERVAL_MS = 1_000;

export interface LoadSheddingDependencies {
  redisCallsInFlight: () => number;
  onShed: () => void;
  logger: Logger;
}

/** Refuses requests with 503 while there is more to do than can be done in time. Health checks always pass. */
export function shedLoad(dependencies: LoadSheddingDependencies): RequestHandler {
  const isOverloaded = overloadDetector(dependencies.redisCallsInFlight);
  const { onShed, logger } = dependencies;
  // Created once: an error's stack trace costs more than the rest of its response.
  const refusals = RETRY_AFTER_SECONDS.map(
    (seconds) =>
      new ApiError('STATE_UNAVAILABLE', 'Too many requests. Retry after the pause.', undefined, {
        'Retry-After': String(seconds),
      }),
  );
  let shed = 0;
  let loggedAtMs = -Infinity;
  return (req, res, next) => {
    const refusal = refusals[shed % refusals.length];
    if (refusal === undefined || !isOverloaded() || req.path.startsWith('/health/')) {
      next();
      return;
    }
    shed++;
    onShed();
    if (performance.now() - loggedAtMs > LOG_INTERVAL_MS) {
      loggedAtMs = performance.now();
      logger.warn({ shedTotal: shed }, 'shedding load');
    }
    req.requestId = requestIdOf(req);
    send(req, res, refusal);
  };
}

/** To be called once for each request. */
function overloadDetector(redisCallsInFlight: () => number): () => boolean {
  let requestsOfTurn = 0;
  let turnBeganMs = 0;
  return () => {
    if (++requestsOfTurn === 1) {
      turnBeganMs = performance.now();
      setImmediate(() => {
        requestsOfTurn = 0;
      });
    }
    const isTurnTooLong =
      requestsOfTurn > MIN_REQUESTS_OF_A_TURN && performance.now() - turnBeganMs > MAX_TURN_MS;
    return isTurnTooLong || redisCallsInFlight() >= MAX_REDIS_CALLS_IN_FLIGHT;
  };
}
