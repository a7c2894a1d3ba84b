import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

export interface TcpProxy {
  port: number;
  /** The url with this proxy in place of its host and port. */
  urlFor(url: string): string;
  /** Connections stay open and nothing goes through, either way. */
  freeze(): void;
  /** Connections break, and new ones are refused at once. */
  cut(): void;
  /** Bytes arrive so much later, each way. */
  delay(ms: number): void;
  /** As at the beginning; what was held back by freeze goes on its way. */
  heal(): void;
  stop(): Promise<void>;
}

/** A network between the service and a server, that a test can break. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port: targetPort } = new URL(target);
  const sockets = new Set<Socket>();
  let state: 'open' | 'frozen' | 'cut' = 'open';
  let delayMs = 0;

  const keep = (socket: Socket, other: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      other.destroy();
    });
    socket.on('data', (chunk) => {
      if (delayMs > 0) setTimeout(() => void other.write(chunk), delayMs);
      else other.write(chunk);
    });
    if (state === 'frozen') socket.pause();
  };
  const server = createServer((inner) => {
    if (state === 'cut') {
      inner.destroy();
      return;
    }
    const outer = connect(Number(targetPort), hostname);
    keep(inner, outer);
    keep(outer, inner);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  return {
    port,
    urlFor: (url) => {
      const through = new URL(url);
      through.hostname = '127.0.0.1';
      through.port = String(port);
      return through.href;
    },
    freeze: () => {
      state = 'frozen';
      sockets.forEach((socket) => socket.pause());
    },
    cut: () => {
      state = 'cut';
      sockets.forEach((socket) => socket.destroy());
    },
    delay: (ms) => {
      delayMs = ms;
    },
    heal: () => {
      state = 'open';
      delayMs = 0;
      sockets.forEach((socket) => socket.resume());
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        sockets.forEach((socket) => socket.destroy());
      }),
  };
}
