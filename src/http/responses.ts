import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorCode, FieldProblem } from '../contract/errors.js';
import { statusOf } from './statuses.js';

/** A request that has its name. */
type NamedRequest = IncomingMessage & { requestId: string };

export type Headers = Record<string, string>;

/** What a route says; written to the socket in one place. */
export type Answer =
  | { kind: 'success'; status: 200 | 201; data: object; headers?: Headers }
  | { kind: 'notModified'; headers: Headers }
  | ApiError;

/** A request that is not granted: also an error, so that a step before the route can throw it. */
export class ApiError extends Error {
  readonly kind = 'refusal';

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details?: FieldProblem[] | Record<string, unknown>,
    readonly headers: Headers = {},
  ) {
    super(message);
  }
}

export function success(status: 200 | 201, data: object, headers?: Headers): Answer {
  return headers === undefined
    ? { kind: 'success', status, data }
    : { kind: 'success', status, data, headers };
}

/** Written by hand: res.json would look up settings, negotiate and hash on every call. */
export function send(req: NamedRequest, res: ServerResponse, answer: Answer): void {
  // The caller has gone: there is nobody to write to.
  if (res.headersSent || res.destroyed) return;
  switch (answer.kind) {
    case 'success':
      write(req, res, answer.status, JSON.stringify({ success: true, data: answer.data }), answer.headers);
      return;
    case 'notModified':
      res.writeHead(304, { 'X-Request-Id': req.requestId, ...answer.headers }).end();
      return;
    case 'refusal': {
      const { code, message, details } = answer;
      const error = { code, requestId: req.requestId, ...(details === undefined ? {} : { details }) };
      write(req, res, statusOf[code], JSON.stringify({ success: false, message, error }), answer.headers);
      return;
    }
  }
}

function write(
  req: NamedRequest,
  res: ServerResponse,
  status: number,
  body: string,
  headers: Headers | undefined,
): void {
  const bytes = Buffer.byteLength(body);
  res.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': bytes,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'X-Request-Id': req.requestId,
    ...headers,
  });
  // ASCII, as nearly all are, is the same in both, and needs no look at each character.
  res.end(body, bytes === body.length ? 'latin1' : 'utf8');
}
