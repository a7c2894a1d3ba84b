import { Queue } from '../../support/queue.js';
import { HttpConnection, type OnAnswer } from './http-connection.js';

/** As a load balancer's: less than the service's 65 s, or a request meets a connection that is just being closed. */
const IDLE_MS = 60_000;

interface Idle {
  connection: HttpConnection;
  sinceMs: number;
}

/** As many connections as there are requests under way, up to a limit; what goes beyond waits for its turn. */
export class ConnectionPool {
  readonly #port: number;
  readonly #most: number;
  readonly #all: HttpConnection[] = [];
  readonly #idle: Idle[] = [];
  readonly #waiting = new Queue<() => void>();
  #opened = 0;

  constructor(port: number, most: number) {
    this.#port = port;
    this.#most = most;
  }

  send(request: () => Buffer | string, onAnswer: OnAnswer): void {
    const connection = this.#takeIdle();
    if (connection !== undefined) {
      this.#sendOn(connection, request, onAnswer);
      return;
    }
    this.#waiting.push(() => {
      const free = this.#takeIdle();
      if (free === undefined) onAnswer(0, '');
      else this.#sendOn(free, request, onAnswer);
    });
    if (this.#opened < this.#most) this.#openOneMore();
  }

  close(): void {
    for (const connection of this.#all) connection.close();
  }

  #takeIdle(): HttpConnection | undefined {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      const { connection, sinceMs } = idle;
      if (connection.isOpen && performance.now() - sinceMs < IDLE_MS) return connection;
      connection.close();
      this.#opened--;
    }
    return undefined;
  }

  #openOneMore(): void {
    this.#opened++;
    HttpConnection.open(this.#port).then(
      (connection) => {
        this.#all.push(connection);
        this.#isFree(connection);
      },
      () => {
        this.#opened--;
        this.#waiting.shift()?.();
      },
    );
  }

  #sendOn(connection: HttpConnection, request: () => Buffer | string, onAnswer: OnAnswer): void {
    connection.send(request(), (status, text) => {
      onAnswer(status, text);
      this.#isFree(connection);
    });
  }

  #isFree(connection: HttpConnection): void {
    this.#idle.push({ connection, sinceMs: performance.now() });
    this.#waiting.shift()?.();
  }
}
