import { Agent, fetch as fetchWith } from 'undici';

export interface Request {
  method?: string | undefined;
  headers?: Record<string, string>;
  body?: string | null;
  signal?: AbortSignal | null;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

/** A load balancer: each request goes to the next process in rotation. */
export class Balancer {
  readonly #agents = new Map<string, Agent>();
  #inRotation: string[] = [];
  #next = 0;

  add(origin: string): void {
    this.#agents.set(origin, new Agent());
    this.#inRotation.push(origin);
  }

  /** Requests in flight are still answered. */
  takeOut(origin: string): void {
    this.#inRotation = this.#inRotation.filter((other) => other !== origin);
  }

  async remove(origin: string): Promise<void> {
    this.takeOut(origin);
    const agent = this.#agents.get(origin);
    this.#agents.delete(origin);
    await agent?.destroy();
  }

  /** @throws Error whose cause has a code, where there is no answer */
  async send(path: string, { method = 'GET', headers = {}, body, signal }: Request): Promise<Answer> {
    const origin = this.#inRotation[this.#next++ % this.#inRotation.length];
    const dispatcher = origin === undefined ? undefined : this.#agents.get(origin);
    if (origin === undefined || dispatcher === undefined) throw new Error('no process is in rotation');
    const request = { method, headers, body: body ?? null, signal: signal ?? null, dispatcher };
    const response = await fetchWith(origin + path, request);
    const answerHeaders = new Headers([...response.headers]);
    return { status: response.status, headers: answerHeaders, text: await response.text() };
  }

  /** Closes every connection; no request may be in flight. */
  async closeConnections(): Promise<void> {
    const agents = [...this.#agents];
    for (const [origin] of agents) this.#agents.set(origin, new Agent());
    await Promise.all(agents.map(([, agent]) => agent.destroy()));
  }
}
