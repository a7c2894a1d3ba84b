import type pg from 'pg';

interface Waiting {
  /** By performance.now(); after it nobody waits for the answer any more. */
  untilMs: number;
  go: () => void;
  fail: (error: unknown) => void;
}

/**
 * Queries on the first connection of a pool that is free, whichever it is. The pool by itself binds a call to the connection
 * that it makes for it: of a crowd of calls nine failed on slow new ones while an open one went round the others.
 */
export class Connections {
  readonly #pool: pg.Pool;
  readonly #most: number;
  #connecting = 0;
  #running = 0;
  readonly #waiting: Waiting[] = [];

  constructor(pool: pg.Pool, most: number) {
    this.#pool = pool;
    this.#most = most;
  }

  /** withinMs: for how long the caller waits; the query is not made where no connection is free by then. */
  query<Row extends pg.QueryResultRow>(
    text: string,
    values: unknown[],
    withinMs: number,
  ): Promise<pg.QueryResult<Row>> {
    const run = () => {
      this.#running++;
      return this.#pool.query<Row>(text, values).finally(() => {
        this.#running--;
        this.#next();
      });
    };
    if (this.#waiting.length === 0 && this.#running < this.#open) return run();
    return new Promise((resolve, fail) => {
      const go = () => {
        resolve(run());
      };
      this.#waiting.push({ untilMs: performance.now() + withinMs, go, fail });
      this.#next();
    });
  }

  get #open(): number {
    return this.#pool.totalCount - this.#connecting;
  }

  #next(): void {
    this.#serve();
    // Not at once: those that went take what is free in the next tick, and the pool would take it for a new one.
    if (this.#waiting.length > 0) process.nextTick(this.#grow);
  }

  #serve(): void {
    const nowMs = performance.now();
    for (let [first] = this.#waiting; first !== undefined; [first] = this.#waiting) {
      const isTooLate = first.untilMs < nowMs;
      if (!isTooLate && this.#running >= this.#open) break;
      this.#waiting.shift();
      if (isTooLate) first.fail(new Error('no connection was free in time'));
      else first.go();
    }
  }

  /** New connections, for nobody in particular. */
  readonly #grow = (): void => {
    while (
      this.#pool.idleCount === 0 &&
      this.#connecting < this.#waiting.length &&
      this.#pool.totalCount < this.#most
    ) {
      this.#connect();
    }
  };

  #connect(): void {
    this.#connecting++;
    this.#pool.connect().then(
      (client) => {
        this.#connecting--;
        client.release();
        this.#next();
      },
      (error: unknown) => {
        this.#connecting--;
        // Where one is open it serves all that wait, and what it has served asks for more. Where none is, each failure is the
        // answer to one call, as the next may come through.
        if (this.#open > 0) this.#serve();
        else {
          this.#waiting.shift()?.fail(error);
          this.#next();
        }
      },
    );
  }
}
