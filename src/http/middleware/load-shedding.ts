import type { RequestListener } from 'node:http';
import type { Express, RequestHandler } from 'express';
import type { Logger } from 'pino';
import { ApiError, send } from '../responses.js';
import { requestIdOf } from './request-context.js';
import { isInTurn } from '../resting-request.js';

/**
 * What has come in during one turn of the event loop is looked at for so long; what is left of it has waited longer, and
 * everybody behind it would. In time and not in requests: a slower machine gets through fewer.
 */
const LONGEST_TURN_MS = 100;
/** So many are looked at whatever the time: a turn that took long with fewer was held up, and there is no crowd behind it. */
const LEAST_OF_A_TURN = 500;
/** Of all processes together Redis takes some 25,000 calls a second; beyond this a call would outlive its deadline. */
const MOST_WAITING_FOR_REDIS = 2_000;
/**
 * Whole seconds, in turn: those who were refused together come back apart, and as often as phones call anyway, so that
 * a refusal makes no load of its own.
 */
const RETRY_AFTER_SECONDS = [4, 6, 3, 5, 7];
const LOGGED_EVERY_MS = 1_000;

export interface LoadSheddingDependencies {
  /** Calls to Redis that have no answer yet; a poll that waits for news makes none. */
  waitingForRedis: () => number;
  /** Lets a browser read the refusal; undefined where no page of another origin may call. */
  crossOrigin: RequestHandler | undefined;
  onShed: () => void;
  logger: Logger;
}

/**
 * The app, behind a door that is shut while there is more to do than can be done in time: 503 at once, before Express,
 * token or body, for a third of what a request costs. Health checks always pass.
 */
export function shedLoad(app: Express, dependencies: LoadSheddingDependencies): RequestListener {
  const { waitingForRedis, crossOrigin } = dependencies;
  const refuse = refuser(dependencies);
  let requestsOfTurn = 0;
  let turnBeganMs = 0;
  const turnIsOver = () => {
    requestsOfTurn = 0;
  };
  const isTooMuch = (): boolean => {
    if (++requestsOfTurn === 1) {
      turnBeganMs = performance.now();
      // Runs when all that has come in was looked at.
      setImmediate(turnIsOver);
    } else if (requestsOfTurn > LEAST_OF_A_TURN && performance.now() - turnBeganMs > LONGEST_TURN_MS)
      return true;
    return waitingForRedis() >= MOST_WAITING_FOR_REDIS;
  };
  const listener: RequestListener = (req, res) => {
    if (!isInTurn(req, res)) return;
    if (!isTooMuch() || req.url?.startsWith('/health/') === true) app(req, res);
    else if (crossOrigin === undefined) refuse(req, res);
    else {
      // Of Express' classes already, see server.ts.
      crossOrigin(req as Parameters<typeof crossOrigin>[0], res as Parameters<typeof crossOrigin>[1], () => {
        refuse(req, res);
      });
    }
  };
  return Object.assign(listener, { request: app.request, response: app.response });
}

function refuser({ onShed, logger }: LoadSheddingDependencies): RequestListener {
  // Made once: an error's stack costs more than the rest of its answer.
  const refusals = RETRY_AFTER_SECONDS.map(
    (seconds) =>
      new ApiError('STATE_UNAVAILABLE', 'Too many requests at once; try again after the pause.', undefined, {
        'Retry-After': String(seconds),
      }),
  );
  let shed = 0;
  let loggedAtMs = -Infinity;
  return (req, res) => {
    const refusal = refusals[shed++ % refusals.length];
    if (refusal === undefined) return;
    onShed();
    const nowMs = performance.now();
    if (nowMs - loggedAtMs > LOGGED_EVERY_MS) {
      loggedAtMs = nowMs;
      logger.warn({ shedSoFar: shed }, 'too much to do; requests are refused');
    }
    send(Object.assign(req, { requestId: requestIdOf(req) }), res, refusal);
  };
}
