import type { ErrorRequestHandler, Request } from 'express';
import type { Logger } from 'pino';
import { CorruptStateError, StateUnavailableError } from '../../journeys/errors.js';
import { ApiError, send } from '../responses.js';
import { RequestAbortedError } from './body.js';

/** During an outage thousands of requests fail each second for one reason. */
const OUTAGE_LOG_INTERVAL_MS = 1_000;

/** Last in line: responds to whatever a route or middleware threw. */
export function errorHandler(logger: Logger): ErrorRequestHandler {
  const logOutage = outageLogger(logger);
  return (error: unknown, req, res, next) => {
    if (error instanceof RequestAbortedError) return;
    if (error instanceof StateUnavailableError) logOutage(error, req);
    if (res.headersSent) next(error);
    else send(req, res, toApiError(error, req, logger));
  };
}

function toApiError(error: unknown, req: Request, logger: Logger): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof StateUnavailableError) {
    return new ApiError('STATE_UNAVAILABLE', 'The service is temporarily unavailable. Retry.', undefined, {
      'Retry-After': '1',
    });
  }
  const fields = { requestId: req.requestId, route: req.routeLabel, err: error };
  if (error instanceof CorruptStateError) {
    logger.error({ ...fields, key: error.key }, 'stored value unreadable');
    return new ApiError('INTERNAL_ERROR', 'The stored state of this session cannot be read.');
  }
  // From Express: invalid percent-encoding in the path.
  if (error instanceof URIError) {
    return new ApiError('VALIDATION_FAILED', 'Validation failed: path.', [
      { path: 'path', message: 'must be percent-encoded UTF-8' },
    ]);
  }
  logger.error(fields, 'unexpected error');
  return new ApiError('INTERNAL_ERROR', 'An unexpected error occurred.');
}

function outageLogger(logger: Logger): (error: StateUnavailableError, req: Request) => void {
  const loggedAtMs = new Map<string, number>();
  return (error, req) => {
    const { dependency } = error;
    const nowMs = performance.now();
    if (nowMs - (loggedAtMs.get(dependency) ?? -Infinity) < OUTAGE_LOG_INTERVAL_MS) return;
    loggedAtMs.set(dependency, nowMs);
    logger.warn({ requestId: req.requestId, dependency, err: error }, 'dependency unavailable');
  };
}
