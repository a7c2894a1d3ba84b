import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import {
  createServer,
  IncomingMessage,
  ServerResponse,
  type RequestListener,
  type Server,
  type ServerOptions,
} from 'node:http';
import type { Express } from 'express';
import { Listening } from './listening.js';

/**
 * Above the ALB's idle time of 60 s: otherwise a connection closes just when the ALB uses it again. And above the longest
 * wait, during which a connection counts as idle, see resting-request.ts.
 */
const KEEP_ALIVE_MS = 65_000;
/** A phone on a bad line sends 200 bytes in less. */
const REQUEST_TIMEOUT_MS = 20_000;

/** How long a broken request's answer may take to get out. */
const LAST_WORDS_MS = 1_000;

const BROKEN_REQUEST_STATUS: Record<string, string> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

export interface HttpServer {
  port: number;
  /** Takes no new connections and waits for the requests in flight, for at most graceMs; then cuts what is left. */
  close(graceMs: number): Promise<void>;
}

/** sockets: see listening.ts. @throws where the port is taken */
export async function listen(listener: RequestListener, port: number, sockets = 1): Promise<HttpServer> {
  const limits = {
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    headersTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: 1_000,
  };
  // Node would answer what has no Host or expects something unknown by itself, past the listener, see resting-request.ts.
  const ours = { requireHostHeader: false };
  const server = createServer({ ...limits, ...ours, ...ownClasses(listener) }, listener);
  server.on('checkExpectation', listener);
  server.on('clientError', answerBrokenRequest);
  const listening = await Listening.on(port, server, sockets);
  return { port: listening.port, close: (graceMs) => close(server, listening, graceMs) };
}

/**
 * Express gives each request and response its own prototype, which makes V8 drop what it has learnt of their shape. Made
 * with that prototype to begin with, they keep it: 5 µs of an update's 80.
 */
function ownClasses(listener: RequestListener): ServerOptions {
  const { request, response } = listener as Partial<Express>;
  if (request === undefined || response === undefined) return {};
  return {
    IncomingMessage: withPrototype(IncomingMessage, request),
    ServerResponse: withPrototype<typeof ServerResponse>(ServerResponse, response),
  };
}

/** The same constructor, except for the prototype of what it makes. */
function withPrototype<Constructor extends object>(constructor: Constructor, prototype: object): Constructor {
  function Made(this: object, ...args: unknown[]): void {
    Reflect.apply(constructor as unknown as (...args: unknown[]) => void, this, args);
  }
  Made.prototype = prototype;
  return Object.setPrototypeOf(Made, constructor) as Constructor;
}

/** What is no HTTP, too slow or too long in its headers never comes to Express; it gets the same envelope. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status = BROKEN_REQUEST_STATUS[error.code ?? ''] ?? '400 Bad Request';
  const message = 'The request could not be read.';
  const body = JSON.stringify({
    success: false,
    message,
    error: {
      code: 'VALIDATION_FAILED',
      requestId: randomUUID(),
      details: [{ path: 'request', message: status }],
    },
  });
  const headers = [
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${body.length}`,
    'Connection: close',
  ];
  socket.end(`HTTP/1.1 ${status}\r\n${headers.join('\r\n')}\r\n\r\n${body}`);
  // A caller that does not close its side would keep the connection, and with many of them all open files, for ever.
  setTimeout(() => socket.destroy(), LAST_WORDS_MS).unref();
}

async function close(server: Server, listening: Listening, graceMs: number): Promise<void> {
  const timer = setTimeout(() => {
    server.closeAllConnections();
  }, graceMs);
  // A connection that is kept open after its answer would hold the process for a minute.
  const idle = setInterval(() => {
    server.closeIdleConnections();
  }, 50);
  await listening.close();
  clearTimeout(timer);
  clearInterval(idle);
}
