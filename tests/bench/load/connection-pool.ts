import { HttpConnection, type OnAnswer } from './http-connection.js';

/** As a load balancer's: less than the service's 65 s, so that no request meets a connection that is being closed. */
const IDLE_MS = 60_000;

interface Idle {
  connection: HttpConnection;
  sinceMs: number;
}

/** As many connections as requests in flight, up to a limit; requests beyond it queue. */
export class ConnectionPool {
  readonly #port: number;
  readonly #limit: number;
  readonly #all: HttpConnection[] = [];
  readonly #idle: Idle[] = [];
  /** A set is a queue whose first entry is removed without moving the others. */
  readonly #queue = new Set<() => void>();
  #open = 0;

  constructor(port: number, limit: number) {
    this.#port = port;
    this.#limit = limit;
  }

  /** Whether a request would queue. */
  get isBusy(): boolean {
    return this.#open === this.#limit && this.#idle.length === 0;
  }

  send(bytes: () => Buffer | string, onAnswer: OnAnswer): void {
    const connection = this.#takeIdle();
    if (connection !== undefined) {
      this.#sendOn(connection, bytes, onAnswer);
      return;
    }
    this.#queue.add(() => {
      const idle = this.#takeIdle();
      if (idle === undefined) onAnswer(0, '');
      else this.#sendOn(idle, bytes, onAnswer);
    });
    if (this.#open < this.#limit) this.#openOneMore();
  }

  close(): void {
    for (const connection of this.#all) connection.close();
  }

  #takeIdle(): HttpConnection | undefined {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      const { connection, sinceMs } = idle;
      if (connection.isOpen && performance.now() - sinceMs < IDLE_MS) return connection;
      connection.close();
      this.#open--;
    }
    return undefined;
  }

  #openOneMore(): void {
    this.#open++;
    HttpConnection.open(this.#port).then(
      (connection) => {
        this.#all.push(connection);
        this.#release(connection);
      },
      () => {
        this.#open--;
        this.#sendQueued();
      },
    );
  }

  #sendOn(connection: HttpConnection, bytes: () => Buffer | string, onAnswer: OnAnswer): void {
    connection.send(bytes(), (status, text) => {
      onAnswer(status, text);
      this.#release(connection);
    });
  }

  #release(connection: HttpConnection): void {
    this.#idle.push({ connection, sinceMs: performance.now() });
    this.#sendQueued();
  }

  #sendQueued(): void {
    const [send] = this.#queue;
    if (send === undefined) return;
    this.#queue.delete(send);
    send();
  }
}
