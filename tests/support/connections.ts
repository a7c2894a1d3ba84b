import { Client, type Dispatcher } from 'undici';
import { Queue } from './queue.js';

export interface OutgoingRequest {
  method: 'GET' | 'POST';
  path: string;
  /** Names and values in turn. */
  headers: string[];
  body: string | null;
  /** How long an answer may take from when the request is on its way. */
  answerWithinMs: number;
}

/** What came back: an answer, or the reason why there is none. */
export type Incoming =
  | { kind: 'answer'; status: number; headers: Record<string, string | string[] | undefined>; body: string }
  /** The network's: refused, reset. */
  | { kind: 'broken'; reason: string }
  /** Sent on a connection that stands, and no answer came in time. */
  | { kind: 'unanswered' };

const connectWithinMs = 10_000;
/** Below the 60 s of a load balancer, so that no request meets a connection that is just being closed. */
const idleMs = 30_000;

/**
 * As many connections as there are requests under way, up to a limit, each with one request at a time. undici's own
 * Pool looks for a free one from the first on, which is too slow where thousands wait for news.
 */
export class Connections {
  readonly #origin: string;
  readonly #most: number;
  readonly #all = new Set<Client>();
  /** The last that was used is the next: the others may close. */
  readonly #idle: Client[] = [];
  readonly #waiting = new Queue<Waiting>();
  #underWay = 0;

  constructor(origin: string, most: number) {
    this.#origin = origin;
    this.#most = most;
  }

  /** Requests that have no answer yet, those that wait for a connection included. */
  get underWay(): number {
    return this.#underWay;
  }

  send(request: OutgoingRequest, done: (incoming: Incoming) => void): void {
    this.#underWay += 1;
    const client = this.#idle.pop() ?? this.#oneMore();
    if (client) this.#dispatch(client, request, done);
    else this.#waiting.push({ request, done, sinceMs: performance.now() });
  }

  /** Ends all, whatever is under way: nobody is told any more. */
  async close(): Promise<void> {
    this.#waiting.clear();
    await Promise.all([...this.#all].map((client) => client.destroy()));
  }

  #oneMore(): Client | undefined {
    return this.#all.size < this.#most ? this.#open() : undefined;
  }

  #open(): Client {
    const client = new Client(this.#origin, {
      pipelining: 1,
      connectTimeout: connectWithinMs,
      keepAliveTimeout: idleMs,
      keepAliveMaxTimeout: idleMs,
    });
    this.#all.add(client);
    return client;
  }

  #dispatch(client: Client, request: OutgoingRequest, done: (incoming: Incoming) => void): void {
    const { method, path, headers, body, answerWithinMs } = request;
    const options = {
      method,
      path,
      headers,
      body,
      headersTimeout: answerWithinMs,
      bodyTimeout: answerWithinMs,
    };
    const exchange = new Exchange((incoming) => {
      this.#underWay -= 1;
      // Not before the client is through with this one: the next would get its timeout, or meet an assertion.
      setImmediate(() => {
        this.#idle.push(client);
        this.#sendWaiting();
      });
      done(incoming);
    });
    client.dispatch(options, exchange);
  }

  #sendWaiting(): void {
    while (this.#idle.length > 0) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#sendAfterWait(next);
    }
  }

  #sendAfterWait({ request, done, sinceMs }: Waiting): void {
    const client = performance.now() - sinceMs < request.answerWithinMs ? this.#idle.pop() : undefined;
    if (client) this.#dispatch(client, request, done);
    else {
      // A phone has given up by now.
      this.#underWay -= 1;
      done({ kind: 'unanswered' });
    }
  }
}

/** A request that has no connection yet. */
interface Waiting {
  request: OutgoingRequest;
  done: (incoming: Incoming) => void;
  sinceMs: number;
}

/** One request's answer as it comes in. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #done: (incoming: Incoming) => void;
  #status = 0;
  #headers: Record<string, string | string[] | undefined> = {};
  #body = '';
  #isOver = false;

  constructor(done: (incoming: Incoming) => void) {
    this.#done = done;
  }

  onRequestStart(): void {
    // Nothing to do, but undici tells its new kind of handler by this.
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    // The contract's answers are ASCII but for messages, which nobody reads here.
    this.#body += chunk.toString('latin1');
  }

  onResponseEnd(): void {
    this.#end({ kind: 'answer', status: this.#status, headers: this.#headers, body: this.#body });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error & { code?: string }): void {
    const isTimeout = error.code === 'UND_ERR_HEADERS_TIMEOUT' || error.code === 'UND_ERR_BODY_TIMEOUT';
    this.#end(isTimeout ? { kind: 'unanswered' } : { kind: 'broken', reason: reasonOf(error) });
  }

  #end(incoming: Incoming): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#done(incoming);
  }
}

/** Node puts what went wrong with each address of a host into an AggregateError. */
function reasonOf(error: Error & { code?: string }): string {
  if (error instanceof AggregateError) {
    return [...new Set(error.errors.map((each: Error) => reasonOf(each)))].join(', ');
  }
  return error.code ?? error.message;
}
