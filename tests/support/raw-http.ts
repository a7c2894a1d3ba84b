import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { metersNorth } from './a-session.js';
import { until } from './until.js';

export interface RawAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

export interface RawRequest {
  method?: string;
  headers?: Record<string, string | string[]>;
  /** Chunked without a Content-Length header. */
  chunks?: (string | Buffer)[];
}

/** Sends the path and the headers as they are, unlike fetch. */
export function rawRequest(
  url: string,
  path: string,
  { method = 'POST', headers = {}, chunks = [] }: RawRequest,
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let answered = false;
    const call = request({ hostname, port, path, method, headers, agent: false }, (response) => {
      answered = true;
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
      response.on('error', reject);
    });
    // A server that has answered may close before it has read all.
    call.on('error', (error) => {
      if (!answered) reject(error);
    });
    for (const chunk of chunks) call.write(chunk);
    call.end();
  });
}

/** A connection that sends any bytes. */
export class RawConnection {
  /** Received so far. */
  text = '';
  /** The service said that it will send no more. */
  isEnded = false;
  readonly #socket: Socket;

  constructor(url: string, bytes: string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    this.send(bytes);
    this.#socket.on('data', (chunk: Buffer) => (this.text += chunk.toString('latin1')));
    const ended = () => (this.isEnded = true);
    this.#socket.on('end', ended).on('close', ended).on('error', ended);
  }

  get statuses(): number[] {
    return [...this.text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  }

  send(bytes: string): void {
    this.#socket.write(Buffer.from(bytes, 'latin1'));
  }

  /** Sends no more, and still receives: shutdown(SHUT_WR). */
  closeItsSide(): void {
    this.#socket.end();
  }

  close(): void {
    this.#socket.destroy();
  }

  /** As the system does for a caller that has gone. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }
}

/** The statuses of all answers to these bytes, once the service has closed the connection. */
export async function statusesUntilClosed(url: string, bytes: string): Promise<number[]> {
  const connection = new RawConnection(url, bytes);
  await until('the service closes the connection', () => connection.isEnded);
  connection.close();
  return connection.statuses;
}

/** A request's lines as they go over the wire. */
export function wire(...lines: string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`;
}

export interface PipelinedAnswer {
  status: number;
  /** By lower-case name. */
  headers: Record<string, string>;
}

/** A connection that sends many requests before it has received any response. */
export class PipelinedConnection {
  readonly #socket: Socket;
  #received = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => (this.#received += chunk));
  }

  static async open(url: string): Promise<PipelinedConnection> {
    return new PipelinedConnection(await connected(url));
  }

  /** Resolves when they have been handed to the operating system. */
  async get(paths: readonly string[], token: string): Promise<void> {
    const requests = paths.map((path) =>
      wire(`GET ${path} HTTP/1.1`, 'Host: test', `Authorization: Bearer ${token}`),
    );
    await new Promise<void>((resolve) => {
      this.#socket.write(requests.join(''), () => resolve());
    });
  }

  /** Drops the answers so far; no request may be in flight. */
  forgetAnswers(): void {
    this.#received = '';
  }

  answers(): PipelinedAnswer[] {
    return this.#received
      .split(/(?=HTTP\/1\.1 \d)/)
      .filter((text) => text.includes('\r\n\r\n'))
      .map((text) => {
        const [head = ''] = text.split('\r\n\r\n');
        const [first = '', ...lines] = head.split('\r\n');
        const fields = lines.map((line) => /^([^:]+): (.*)$/.exec(line)?.slice(1) ?? []);
        return {
          status: Number(first.split(' ')[1]),
          headers: Object.fromEntries(fields.map(([name = '', value = '']) => [name.toLowerCase(), value])),
        };
      });
  }

  close(): void {
    this.#socket.destroy();
  }
}

export interface HalfAnUpdate {
  socket: Socket;
  sendTheRest(): void;
  /** The first line of the response, once the connection is closed. */
  statusLine: Promise<string>;
}

/** An update in flight: the service has read its head, and half of the body is sent. */
export async function halfAnUpdate(
  serviceUrl: string,
  { sessionId, trainerToken, requestId }: { sessionId: string; trainerToken: string; requestId?: string },
): Promise<HalfAnUpdate> {
  const body = JSON.stringify({ sessionId, ...metersNorth(100) });
  const socket = await connected(serviceUrl);
  // The service answers "Continue" when it has read the head.
  const continued = once(socket, 'data');
  socket.write(
    wire(
      'POST /api/v1/admin/location-tracking/journey/updates HTTP/1.1',
      'Host: service',
      `Authorization: Bearer ${trainerToken}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      ...(requestId === undefined ? [] : [`X-Request-Id: ${requestId}`]),
      'Expect: 100-continue',
    ),
  );
  await continued;
  const half = body.length >> 1;
  socket.write(body.slice(0, half));
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString()));
  const statusLine = once(socket, 'close').then(() => text.split('\r\n')[0] ?? '');
  return { socket, sendTheRest: () => void socket.write(body.slice(half)), statusLine };
}

export async function connected(serviceUrl: string): Promise<Socket> {
  const socket = connect(Number(new URL(serviceUrl).port), '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}
