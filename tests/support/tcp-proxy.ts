import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** requests: from the caller to the server. */
export type Way = 'requests' | 'answers';

export interface TcpProxy {
  port: number;
  /** The url with this proxy in place of its host and port. */
  urlFor(url: string): string;
  /** Connections stay open and pass nothing, in both directions or one. */
  freeze(way?: Way): void;
  /** Closes the server's ends of all connections and not the callers'; new connections work. */
  halfOpen(): void;
  /** Connections break, and new ones are refused at once. */
  cut(): void;
  /** Bytes arrive so much later, each way. */
  delay(ms: number): void;
  /** Limits each direction of each connection. */
  throttle(bytesPerSecond: number): void;
  /** Ends all faults; bytes delayed by freeze are sent. */
  heal(): void;
  stop(): Promise<void>;
}

/** A network between the service and a server, that a test can break. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port: targetPort } = new URL(target);
  const sockets = new Map<Socket, Way>();
  const forsaken = new WeakSet<Socket>();
  let state: 'open' | 'cut' = 'open';
  let frozen: readonly Way[] = [];
  let delayMs = 0;
  let bytesPerSecond = Infinity;

  const keep = (socket: Socket, other: Socket, way: Way) => {
    sockets.set(socket, way);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      if (!forsaken.has(other)) other.destroy();
    });
    let trickled: Promise<void> | undefined;
    let delayed = Promise.resolve();
    let pending = 0;
    socket.on('data', (chunk: Buffer) => {
      // Also after heal, so that bytes keep their order.
      if (bytesPerSecond < Infinity || trickled !== undefined) {
        const before = trickled ?? Promise.resolve();
        trickled = before.then(() => trickle(chunk, other, () => bytesPerSecond));
      } else if (delayMs > 0 || pending > 0) {
        const dueMs = performance.now() + delayMs;
        pending++;
        delayed = delayed.then(async () => {
          await pause(Math.max(0, dueMs - performance.now()));
          pending--;
          other.write(chunk);
        });
      } else other.write(chunk);
    });
    if (frozen.includes(way)) socket.pause();
  };
  const server = createServer((inner) => {
    if (state === 'cut') {
      inner.destroy();
      return;
    }
    const outer = connect(Number(targetPort), hostname);
    keep(inner, outer, 'requests');
    keep(outer, inner, 'answers');
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
    freeze: (way) => {
      frozen = way === undefined ? ['requests', 'answers'] : [way];
      for (const [socket, its] of sockets) if (frozen.includes(its)) socket.pause();
    },
    halfOpen: () => {
      for (const [socket, way] of sockets) if (way === 'requests') forsaken.add(socket);
      for (const [socket, way] of sockets) if (way === 'answers') socket.destroy();
    },
    cut: () => {
      state = 'cut';
      for (const socket of sockets.keys()) socket.destroy();
    },
    delay: (ms) => {
      delayMs = ms;
    },
    throttle: (rate) => {
      bytesPerSecond = rate;
    },
    heal: () => {
      state = 'open';
      frozen = [];
      delayMs = 0;
      bytesPerSecond = Infinity;
      for (const socket of sockets.keys()) socket.resume();
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets.keys()) socket.destroy();
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
