import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Request, RequestHandler, Response } from 'express';
import type { ErrorCode } from '../../contract/errors.js';
import type { Caller } from '../../journeys/journey.js';
import type { Draining } from './draining.js';

declare module 'express-serve-static-core' {
  interface Request {
    requestId: string;
    /** By performance.now(). */
    startedAtMs: number;
    /** The route's pattern, for logs and metrics: a path has as many values as there are sessions. */
    routeLabel: string;
    /** For the log, once they are known. */
    sessionId?: string | undefined;
    errorCode?: ErrorCode;
  }
}

/** Ids from outside end up in responses and logs. */
const SAFE_ID = /^[\w.:;=+/@-]{1,128}$/;

export interface CompletedRequest {
  requestId: string;
  method: string;
  route: string;
  status: number;
  seconds: number;
  sessionId: string | undefined;
  caller: Caller | undefined;
  errorCode: ErrorCode | undefined;
  /** The caller disconnected before the response was written. */
  aborted: boolean;
  remoteAddress: () => string | undefined;
}

/** Gives the request its id and start time, and reports it once its response is sent or its connection closed. */
export function requestContext(
  onCompleted: (request: CompletedRequest) => void,
  closeIfDraining: Draining,
): RequestHandler {
  return (req, res, next) => {
    closeIfDraining(res);
    req.startedAtMs = performance.now();
    req.requestId = requestIdOf(req);
    req.routeLabel = 'unmatched';
    res.on('close', () => {
      onCompleted(completed(req, res));
    });
    next();
  };
}

function completed(req: Request, res: Response): CompletedRequest {
  return {
    requestId: req.requestId,
    method: req.method,
    route: req.routeLabel,
    // nginx' status for a caller that disconnected before the response.
    status: res.headersSent ? res.statusCode : 499,
    seconds: (performance.now() - req.startedAtMs) / 1000,
    sessionId: req.sessionId,
    caller: req.caller,
    errorCode: req.errorCode,
    aborted: !res.writableFinished,
    remoteAddress: () => remoteAddressOf(req),
  };
}

/** The caller's own id, so that the logs of both sides can be joined. */
export function requestIdOf({ headers }: IncomingMessage): string {
  return safeId(headers['x-request-id']) ?? safeId(headers['x-amzn-trace-id']) ?? randomUUID();
}

/** Without a proxy in front, X-Forwarded-For is the caller's own text. */
function remoteAddressOf(req: Request): string | undefined {
  const { ip } = req;
  return ip !== undefined && isIP(ip) !== 0 ? ip : req.socket.remoteAddress;
}

function safeId(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && SAFE_ID.test(header) ? header : undefined;
}
