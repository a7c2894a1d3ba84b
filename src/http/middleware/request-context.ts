import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import type { NextFunction, Request, Response } from 'express';
import { ApiError } from '../responses.js';

declare module 'express-serve-static-core' {
  interface Request {
    requestId: string;
    /** By performance.now(). */
    startedAtMs: number;
    /** The route's pattern, for logs and metrics; an address would have as many values as there are sessions. */
    routeLabel: string;
    /** Told when the connection is closed or the answer is out. */
    held: { leave(): void } | undefined;
  }
}

/** A random name for the process and a count: as unique as a random id for each request, and cheaper. */
const processName = `${randomUUID()}-`;
let requests = 0;

/** What may be taken into answers and logs from outside: short, and of characters that mean nothing to either. */
const SANE_ID = /^[\w.:;=+/@-]{1,128}$/;

export interface AnsweredRequest {
  requestId: string;
  method: string;
  route: string;
  status: number;
  seconds: number;
  /** The caller went before the answer was written. */
  aborted: boolean;
  /** Asked only for what is logged. A getter here would make V8 a hidden class a request: an app with nothing but this
   * took half as many requests with it. */
  remoteAddress: () => string | undefined;
}

/** A listener: tells of the response's request when it is over, however it ended. */
export type WhenOver = (this: ServerResponse) => void;

export function whenOver(onAnswered: (request: AnsweredRequest) => void): WhenOver {
  return function (this: ServerResponse) {
    const req = this.req as Request;
    req.held?.leave();
    onAnswered({
      requestId: req.requestId,
      method: req.method,
      route: req.routeLabel,
      // nginx' word for a caller that went before there was an answer.
      status: this.headersSent ? this.statusCode : 499,
      seconds: (performance.now() - req.startedAtMs) / 1000,
      aborted: !this.writableFinished,
      remoteAddress: () => addressOf(req),
    });
  };
}

/** First in line: names the request. @throws ApiError VALIDATION_FAILED without a Host, as HTTP/1.1 wants it */
export function requestContext(whenOver: WhenOver) {
  return (req: Request, res: Response, next: NextFunction): void => {
    req.startedAtMs = performance.now();
    req.requestId = requestIdOf(req);
    req.routeLabel = 'unmatched';
    req.held = undefined;
    res.on('close', whenOver);
    if (req.headers.host === undefined && req.httpVersion === '1.1') {
      res.shouldKeepAlive = false;
      throw new ApiError('VALIDATION_FAILED', 'The request has no Host.', [
        { path: 'Host', message: 'is required' },
      ]);
    }
    next();
  };
}

export function requestIdOf(req: IncomingMessage): string {
  return givenId(req) ?? newId();
}

/** The caller's own where it is sane, so that both sides' logs can be joined. */
export function givenId({ headers }: IncomingMessage): string | undefined {
  return saneId(headers['x-request-id']) ?? saneId(headers['x-amzn-trace-id']);
}

export function newId(): string {
  return processName + (++requests).toString(36);
}

/** What a proxy says that is no address stays out of the log: without one in front, it is the caller's own text. */
function addressOf(req: Request): string | undefined {
  const { ip } = req;
  return ip !== undefined && isIP(ip) !== 0 ? ip : req.socket.remoteAddress;
}

function saneId(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && SANE_ID.test(header) ? header : undefined;
}
