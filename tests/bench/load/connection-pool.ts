import { HttpConnection, type OnAnswer } from './http-connection.js';

/** As a load balancer's: less than the service's 65 s, or a request meets a connection that is just being closed. */
const IDLE_MS = 60_000;

interface Waiting {
  goOn: () => void;
  next: Waiting | undefined;
}

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
  /** Linked, for there may be 100,000 where the service can't keep up, and an array moves them all for each that leaves. */
  #first: Waiting | undefined;
  #last: Waiting | undefined;
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
    this.#queue(() => {
      const free = this.#takeIdle();
      if (free === undefined) onAnswer(0, '');
      else this.#sendOn(free, request, onAnswer);
    });
    if (this.#opened < this.#most) this.#openOneMore();
  }

  close(): void {
    for (const connection of this.#all) connection.close();
  }

  #queue(goOn: () => void): void {
    const waiting = { goOn, next: undefined };
    if (this.#last === undefined) this.#first = waiting;
    else this.#last.next = waiting;
    this.#last = waiting;
  }

  #letNextGoOn(): void {
    const waiting = this.#first;
    if (waiting === undefined) return;
    this.#first = waiting.next;
    if (this.#first === undefined) this.#last = undefined;
    waiting.goOn();
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
        this.#letNextGoOn();
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
    this.#letNextGoOn();
  }
}
