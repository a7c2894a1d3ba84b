import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';

/** `authority` signed the certificate of the proxy, `stranger` did not: see tls/README.md. */
const fileOf = (name: string) => join(import.meta.dirname, 'tls', name);
export const authority = {
  file: fileOf('authority.pem'),
  pem: readFileSync(fileOf('authority.pem'), 'utf8'),
};
export const stranger = { pem: readFileSync(fileOf('stranger.pem'), 'utf8') };
/** Of localhost; the names of the files. */
export const certificate = { cert: fileOf('localhost.pem'), key: fileOf('localhost.key') };
const cert = readFileSync(certificate.cert);
const key = readFileSync(certificate.key);

export interface TlsProxy {
  port: number;
  stop(): Promise<void>;
}

/**
 * Terminates TLS for a server. asked: after the client's SSLRequest, as Postgres does. byName: only for clients that name
 * localhost (SNI), like a proxy for several servers.
 */
export async function startTlsProxy(
  target: string,
  { asked, byName = false }: { asked: boolean; byName?: boolean },
): Promise<TlsProxy> {
  const { hostname, port: targetPort } = new URL(target);
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  };
  const decrypt = (raw: Socket) => {
    const inner = new TLSSocket(raw, { isServer: true, key, cert, SNICallback: (_name, done) => done(null) });
    inner.on('secure', () => {
      if (byName && (inner as { servername?: string }).servername !== 'localhost') inner.destroy();
    });
    const outer = connect(Number(targetPort), hostname);
    for (const [one, other] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      keep(one);
      one.on('close', () => other.destroy());
      one.pipe(other);
    }
  };
  const server = createServer((raw) => {
    keep(raw);
    if (!asked) decrypt(raw);
    else
      raw.once('data', () => {
        raw.pause();
        raw.write('S');
        decrypt(raw);
      });
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        sockets.forEach((socket) => socket.destroy());
      }),
  };
}
