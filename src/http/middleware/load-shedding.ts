import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import { ApiError, send } from '../responses.js';
import { requestIdOf } from './request-context.js';

/** Requests read in one turn of the event loop wait for its end; beyond this time the rest of them is refused. */
const MAX_TURN_MS = 1_000;
/** In rotation, so that refused callers do not return together. */
const RETRY_AFTER_SECONDS = [4, 6, 3, 5, 7];
const LOG_INTERVAL_MS = 1_000;

export interface LoadSheddingDependencies {
  onShed: () => void;
  logger: Logger;
}

/** Refuses requests with 503 that would wait too long. Health checks always pass. */
export function shedLoad({ onShed, logger }: LoadSheddingDependencies): RequestHandler {
  // Created once: an error's stack trace costs more than the rest of its response.
  const refusals = RETRY_AFTER_SECONDS.map(
    (seconds) =>
      new ApiError('STATE_UNAVAILABLE', 'Too many requests. Retry after the pause.', undefined, {
        'Retry-After': String(seconds),
      }),
  );
  const turnMs = turnClock();
  let shed = 0;
  let loggedAtMs = -Infinity;
  return (req, res, next) => {
    const refusal = refusals[shed % refusals.length];
    if (turnMs() < MAX_TURN_MS || refusal === undefined || req.path.startsWith('/health/')) {
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

/** How long the event loop's present turn has been reading requests, in milliseconds. */
function turnClock(): () => number {
  let firstRequestMs: number | null = null;
  return () => {
    if (firstRequestMs === null) {
      firstRequestMs = performance.now();
      // Runs when all input of this turn has been read.
      setImmediate(() => {
        firstRequestMs = null;
      });
    }
    return performance.now() - firstRequestMs;
  };
}
