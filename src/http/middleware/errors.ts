import type { ServerResponse } from 'node:http';
import type { NextFunction, Request, Response } from 'express';
import type { Logger } from 'pino';
import { CorruptStateError, StateUnavailableError } from '../../journeys/errors.js';
import { ApiError, send } from '../responses.js';
import { RequestAbortedError } from './body.js';

/** Why a dependency is away is logged this often; each request that failed by it has its own line all the same. */
const OUTAGE_LOGGED_EVERY_MS = 1_000;

/** Answers with what became of a request that something was thrown for; false where an answer is under way already. */
export type ErrorAnswerer = (error: unknown, req: Request, res: ServerResponse) => boolean;

export function errorAnswerer(logger: Logger, isDraining: () => boolean): ErrorAnswerer {
  const outages = new OutageLog(logger);
  return (error, req, res) => {
    if (error instanceof RequestAbortedError) return true;
    if (error instanceof StateUnavailableError) outages.failed(error, req);
    if (isDraining()) res.shouldKeepAlive = false;
    if (res.headersSent) return false;
    send(req, res, refusalOf(error, req, logger));
    return true;
  };
}

/** Last in line: answers whatever was thrown on the way. Express knows an error handler by its four parameters. */
export function answerErrors(answerError: ErrorAnswerer) {
  return (error: unknown, req: Request, res: Response, next: NextFunction): void => {
    if (!answerError(error, req, res)) next(error);
  };
}

function refusalOf(error: unknown, req: Request, logger: Logger): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof StateUnavailableError) {
    return new ApiError('STATE_UNAVAILABLE', 'The state is not known right now; try again.', undefined, {
      'Retry-After': '1',
    });
  }
  const where = { requestId: req.requestId, route: req.routeLabel };
  if (error instanceof CorruptStateError) {
    logger.error({ ...where, key: error.key, err: error }, 'a stored value cannot be read');
    return new ApiError(
      'INTERNAL_ERROR',
      'What is stored for this session cannot be read; support has been told.',
    );
  }
  // Express' own: an address whose percent-encoding is broken.
  if (error instanceof URIError) {
    return new ApiError('VALIDATION_FAILED', 'The address is not valid.', [
      { path: 'path', message: 'must be percent-encoded UTF-8' },
    ]);
  }
  logger.error({ ...where, err: error }, 'unexpected error');
  return new ApiError('INTERNAL_ERROR', 'Something went wrong; it has been recorded.');
}

/** At 10,000 journeys an outage fails 4,000 requests a second, all for the same reason. */
class OutageLog {
  readonly #logger: Logger;
  readonly #loggedAtMs = new Map<string, number>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  failed(error: StateUnavailableError, req: Request): void {
    const { dependency } = error;
    const nowMs = performance.now();
    if (nowMs - (this.#loggedAtMs.get(dependency) ?? -Infinity) < OUTAGE_LOGGED_EVERY_MS) return;
    this.#loggedAtMs.set(dependency, nowMs);
    this.#logger.warn({ requestId: req.requestId, dependency, err: error }, 'dependency did not answer');
  }
}
