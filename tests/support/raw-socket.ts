import { connect, type Socket } from 'node:net';
import { until } from './until.js';

/** A connection on which a test puts bytes as no HTTP client would. */
export class RawConnection {
  /** All that came back so far. */
  text = '';
  /** The service said that it will send no more. */
  isEnded = false;
  readonly #socket: Socket;

  /** allowHalfOpen: what the service ends is not closed by this side. */
  constructor(url: string, bytes: string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    this.send(bytes);
    this.#socket.on('data', (chunk: Buffer) => (this.text += chunk.toString('latin1')));
    const ended = () => {
      this.isEnded = true;
    };
    this.#socket.on('end', ended).on('close', ended).on('error', ended);
  }

  get statuses(): number[] {
    return [...this.text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  }

  send(bytes: string): void {
    this.#socket.write(Buffer.from(bytes, 'latin1'));
  }

  close(): void {
    this.#socket.destroy();
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
