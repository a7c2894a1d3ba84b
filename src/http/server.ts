import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

/** Above the load balancer's idle timeout of 60 s: otherwise a connection may close just when it is reused. */
const KEEP_ALIVE_MS = 65_000;
/** Connections that wait to be accepted; beyond them a caller's attempt is repeated by its system, after a second. */
const CONNECTION_BACKLOG = 4_096;
const REQUEST_TIMEOUT_MS = 20_000;
/** For the response to a malformed request; a caller that never closes its side must not keep the connection. */
const MALFORMED_REQUEST_GRACE_MS = 1_000;
const IDLE_CHECK_INTERVAL_MS = 50;

const MALFORMED_REQUEST_STATUS: Record<string, string> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

export interface HttpServer {
  port: number;
  /** Accepts no new connections, waits up to graceMs for requests in flight, then cuts the rest. */
  close(graceMs: number): Promise<void>;
}

/** @throws if the port is in use */
export async function listen(listener: RequestListener, port: number): Promise<HttpServer> {
  const server = createServer(
    {
      keepAliveTimeout: KEEP_ALIVE_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 1_000,
    },
    listener,
  );
  // Responds to callers that close their side after the request. Not in Node's documentation, which has no other way.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on('clientError', respondToMalformedRequest);
  server.listen({ port, backlog: CONNECTION_BACKLOG });
  // Rejects on an error.
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: (graceMs) => close(server, graceMs) };
}

/** Such a request never reaches Express; it gets the same envelope. */
function respondToMalformedRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status = MALFORMED_REQUEST_STATUS[error.code ?? ''] ?? '400 Bad Request';
  const details = [{ path: 'request', message: status }];
  const body = JSON.stringify({
    success: false,
    message: 'Validation failed: request.',
    error: { code: 'VALIDATION_FAILED', requestId: randomUUID(), details },
  });
  const headers = [
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${body.length}`,
    'Connection: close',
  ];
  socket.end(`HTTP/1.1 ${status}\r\n${headers.join('\r\n')}\r\n\r\n${body}`);
  setTimeout(() => socket.destroy(), MALFORMED_REQUEST_GRACE_MS).unref();
}

async function close(server: Server, graceMs: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  const cut = setTimeout(() => {
    server.closeAllConnections();
  }, graceMs);
  // A connection that becomes idle after its response would delay the exit until its keep-alive timeout.
  const closeIdle = setInterval(() => {
    server.closeIdleConnections();
  }, IDLE_CHECK_INTERVAL_MS);
  await closed;
  clearTimeout(cut);
  clearInterval(closeIdle);
}
