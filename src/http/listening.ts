import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import { createServer, type AddressInfo, type ListenOptions, type Server } from 'node:net';

/**
 * Of each listening socket Node takes one connection a turn of its event loop, and a turn with much to do takes a tenth of
 * a second: 1,000 new connections beside 200 busy ones were answered after 40 and 4 s at the 99th percentile of two runs,
 * and after 1.0 and 1.4 s with 32 sockets. The load balancer's health checks are such new connections.
 */
export const LISTENING_SOCKETS = 32;

/** Whether several sockets may listen on one port: on Linux since Node 22.12. */
export const canShare = process.platform === 'linux' && isSince(22, 12);

/** The sockets on which a server's connections come in. */
export class Listening {
  readonly #servers: readonly Server[];
  readonly port: number;

  private constructor(servers: readonly Server[], port: number) {
    this.#servers = servers;
    this.port = port;
  }

  /** sockets: how many of them, where the system can. @throws where the port is taken */
  static async on(port: number, server: HttpServer, sockets: number): Promise<Listening> {
    if (!canShare || sockets === 1) return new Listening([server], await listen(server, { port }));
    // A port that is shared is shared with another process as well, which then answers half of the requests.
    if (port !== 0) await checkIsFree(port);
    const shares = { reusePort: true };
    const shared = await listen(server, { port, ...shares });
    const others = Array.from({ length: sockets - 1 }, () => socketOf(server));
    await Promise.all(others.map((socket) => listen(socket, { port: shared, ...shares })));
    return new Listening([server, ...others], shared);
  }

  /** Takes no more connections; resolves when those that were taken are closed. */
  async close(): Promise<void> {
    await Promise.all(this.#servers.map(closed));
  }
}

/** With http's own settings for its connections. */
function socketOf(server: HttpServer): Server {
  return createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    server.emit('connection', socket);
  });
}

async function checkIsFree(port: number): Promise<void> {
  const server = createServer();
  await listen(server, { port });
  await closed(server);
}

async function listen(server: Server, options: ListenOptions): Promise<number> {
  server.listen(options);
  // Rejects on an error.
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

function isSince(major: number, minor: number): boolean {
  const [ourMajor = 0, ourMinor = 0] = process.versions.node.split('.').map(Number);
  return ourMajor > major || (ourMajor === major && ourMinor >= minor);
}
