import type { Request, Response } from 'express';
import type { ErrorCode, FieldProblem } from '../contract/errors.js';
import { statusOf } from './statuses.js';

export type Headers = Record<string, string>;

export type ApiResponse =
  | { kind: 'success'; status: 200 | 201; data: object; headers?: Headers | undefined }
  | { kind: 'notModified'; headers: Headers }
  | ApiError;

/** A refusal: returned by a route, or thrown on the way to it. */
export class ApiError extends Error {
  readonly kind = 'error';

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details?: FieldProblem[] | Record<string, unknown>,
    readonly headers: Headers = {},
  ) {
    super(message);
  }
}

export function success(status: 200 | 201, data: object, headers?: Headers): ApiResponse {
  return { kind: 'success', status, data, headers };
}

/** Sends a response unless the caller has gone. Express' res.json would negotiate and hash on every call. */
export function send(req: Request, res: Response, response: ApiResponse): void {
  if (res.headersSent || res.destroyed) return;
  switch (response.kind) {
    case 'success':
      sendJson(req, res, response.status, { success: true, data: response.data }, response.headers);
      return;
    case 'notModified':
      res.writeHead(304, { 'X-Request-Id': req.requestId, ...response.headers }).end();
      return;
    case 'error': {
      const { code, message, details, headers } = response;
      req.errorCode = code;
      const error = { code, requestId: req.requestId, details };
      sendJson(req, res, statusOf[code], { success: false, message, error }, headers);
      return;
    }
  }
}

function sendJson(
  req: Request,
  res: Response,
  status: number,
  envelope: object,
  headers: Headers | undefined,
): void {
  const body = JSON.stringify(envelope);
  res.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'X-Request-Id': req.requestId,
    ...headers,
  });
  res.end(body);
}
