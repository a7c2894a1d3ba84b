import { Connections, type Incoming, type OutgoingRequest } from '../support/connections.js';

const MOST_CONNECTIONS = 2_000;

/** What stands between the phones and the processes: each request goes to the next one that is in rotation. */
export class Balancer {
  readonly #targets = new Map<string, Connections>();
  #inRotation: string[] = [];
  #next = 0;

  add(origin: string): void {
    this.#targets.set(origin, new Connections(origin, MOST_CONNECTIONS));
    this.#inRotation.push(origin);
  }

  /** No more requests go there; those under way are still answered. */
  takeOut(origin: string): void {
    this.#inRotation = this.#inRotation.filter((other) => other !== origin);
  }

  async forget(origin: string): Promise<void> {
    this.takeOut(origin);
    const connections = this.#targets.get(origin);
    this.#targets.delete(origin);
    await connections?.close();
  }

  send(request: OutgoingRequest, done: (incoming: Incoming) => void): void {
    const origin = this.#inRotation[this.#next++ % this.#inRotation.length];
    const connections = origin === undefined ? undefined : this.#targets.get(origin);
    if (connections === undefined) throw new Error('no process is in rotation');
    connections.send(request, done);
  }

  /** Closes every connection, as phones that have gone; nothing may be under way. */
  async hangUp(): Promise<void> {
    const before = [...this.#targets];
    for (const [origin] of before) this.#targets.set(origin, new Connections(origin, MOST_CONNECTIONS));
    await Promise.all(before.map(([, connections]) => connections.close()));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#targets.values()].map((connections) => connections.close()));
  }
}
