import { connect, type Socket } from 'node:net';

/** Status 0: the connection broke. */
export type OnAnswer = (status: number, text: string) => void;

/** Sockets read one after the other, so all of them share it. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);
const RETRY_AFTER = /\r\nretry-after: (\d+)/i;
const CONTENT_LENGTH = /\r\ncontent-length: (\d+)/i;

/**
 * A keep-alive connection with one request in flight. Node's own client costs more CPU than the server that it should
 * measure.
 */
export class HttpConnection {
  readonly #socket: Socket;
  #received = '';
  #onAnswer: OnAnswer | undefined;
  isOpen = true;

  /** from: a local address. */
  static open(port: number, from = '127.0.0.1'): Promise<HttpConnection> {
    return new Promise((resolve, reject) => {
      const connection = new HttpConnection(port, from);
      connection.#socket.once('connect', () => {
        resolve(connection);
      });
      connection.#socket.once('error', reject);
    });
  }

  private constructor(port: number, from: string) {
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      localAddress: from,
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (bytes) => {
          this.#take(readBuffer.toString('latin1', 0, bytes));
          return true;
        },
      },
    });
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      this.isOpen = false;
      this.#answer(0, '');
    });
  }

  send(request: Buffer | string, onAnswer: OnAnswer): void {
    this.#onAnswer = onAnswer;
    if (this.isOpen) this.#socket.write(request, 'latin1');
    else this.#answer(0, '');
  }

  close(): void {
    this.#onAnswer = undefined;
    this.#socket.destroy();
  }

  #take(chunk: string): void {
    const text = this.#received + chunk;
    const headEnd = text.indexOf('\r\n\r\n') + 4;
    if (headEnd < 4 || text.length < headEnd + bodyLength(text)) {
      this.#received = text;
      return;
    }
    this.#received = '';
    this.#answer(statusOf(text), text);
  }

  #answer(status: number, text: string): void {
    const onAnswer = this.#onAnswer;
    this.#onAnswer = undefined;
    onAnswer?.(status, text);
  }
}

/** Undefined without a Retry-After. */
export function retryAfterMs(answer: string): number | undefined {
  const seconds = RETRY_AFTER.exec(answer)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}

function statusOf(text: string): number {
  return Number(text.slice(9, 12));
}

/** Every contender sends Content-Length; chunked answers cannot be read here. */
function bodyLength(text: string): number {
  if (statusOf(text) === 304) return 0;
  const length = CONTENT_LENGTH.exec(text)?.[1];
  if (length === undefined) throw new Error(`an answer without Content-Length: ${text.slice(0, 200)}`);
  return Number(length);
}
