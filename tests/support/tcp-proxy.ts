import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

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
  /** No more than so many bytes a second go through, each way of each connection; in pieces, as on a bad line. */
  throttle(bytesPerSecond: number): void;
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
  let bytesPerSecond = Infinity;

  const keep = (socket: Socket, other: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      other.destroy();
    });
    let trickled: Promise<void> | undefined;
    socket.on('data', (chunk: Buffer) => {
      // Also after heal: no byte may overtake those on their way.
      if (bytesPerSecond < Infinity || trickled !== undefined) {
        const before = trickled ?? Promise.resolve();
        trickled = before.then(() => trickle(chunk, other, () => bytesPerSecond));
      } else if (delayMs > 0) setTimeout(() => void other.write(chunk), delayMs);
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
    throttle: (rate) => {
      bytesPerSecond = rate;
    },
    heal: () => {
      state = 'open';
      delayMs = 0;
      bytesPerSecond = Infinity;
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

async function trickle(chunk: Buffer, to: Socket, bytesPerSecond: () => number): Promise<void> {
  for (let start = 0; start < chunk.length && !to.destroyed;) {
    const size = Math.min(chunk.length - start, Math.max(1, bytesPerSecond() / 20));
    await pause((size / bytesPerSecond()) * 1_000);
    to.write(chunk.subarray(start, start + size));
    start += size;
  }
}
