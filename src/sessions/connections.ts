import type pg from 'pg';

interface Waiting {
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

  /** values: asked for when a connection is free, once; null where nobody waits for the answer any more: it has no rows then. */
  query<Row extends pg.QueryResultRow>(text: string, values: () => unknown[] | null): Promise<Row[]> {
    const run = async (): Promise<Row[]> => {
      this.#running++;
      try {
        const given = values();
        return given === null ? [] : (await this.#pool.query<Row>(text, given)).rows;
      } finally {
        this.#running--;
        this.#next();
      }
    };
    if (this.#waiting.length === 0 && this.#running < this.#open) return run();
    return new Promise((resolve, fail) => {
      const go = () => {
        resolve(run());
      };
      this.#waiting.push({ go, fail });
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
    while (this.#running < this.#open) {
      const first = this.#waiting.shift();
      if (first === undefined) return;
      first.go();
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
