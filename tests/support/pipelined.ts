import { connect, type Socket } from 'node:net';
import { once } from 'node:events';

export interface PipelinedAnswer {
  status: number;
  /** By lower-case name. */
  headers: Record<string, string>;
}

/** A connection on which many requests go out at once, before any of their answers; those come in the same order. */
export class PipelinedConnection {
  readonly #socket: Socket;
  #received = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => (this.#received += chunk));
    socket.on('error', () => undefined);
  }

  static async open(url: string): Promise<PipelinedConnection> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new PipelinedConnection(socket);
  }

  /** Resolves when they are in the hands of the operating system. */
  async get(paths: readonly string[], token: string): Promise<void> {
    const requests = paths.map(
      (path) => `GET ${path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    );
    await new Promise<void>((resolve) => {
      this.#socket.write(requests.join(''), () => {
        resolve();
      });
    });
  }

  /** Of all requests so far; none may be under way. */
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
