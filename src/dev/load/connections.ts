import { Client, Pool, type Dispatcher } from 'undici';

/** Shorter than the 60 s of a load balancer, so that no request meets a connection that is being closed. */
const idleMs = 30_000;
const timeouts = { keepAliveTimeout: idleMs, keepAliveMaxTimeout: idleMs, connectTimeout: 10_000 };

/** A pool for short requests, and a connection of its own for each student who waits. */
export class Connections {
  readonly #origin: string;
  readonly #pool: Pool;
  readonly #clients = new Set<Client>();

  constructor(origin: string, poolSize: number) {
    this.#origin = origin;
    this.#pool = new Pool(origin, { ...timeouts, connections: poolSize });
  }

  get shared(): Dispatcher {
    return this.#pool;
  }

  open(): { dispatcher: Dispatcher; close(): void } {
    const client = new Client(this.#origin, timeouts);
    this.#clients.add(client);
    const close = () => {
      this.#clients.delete(client);
      void client.destroy();
    };
    return { dispatcher: client, close };
  }

  async close(): Promise<void> {
    await Promise.all([this.#pool.destroy(), ...[...this.#clients].map((client) => client.destroy())]);
  }
}
