import { VirtualClock } from './virtual-clock.js';

export interface FakeCall {
  kind: 'start' | 'update' | 'heartbeat' | 'live' | 'arrived' | 'stop';
  sessionId: string;
  /** By the names that the SDK writes, such as If-None-Match. */
  headers: Record<string, string>;
  body: Record<string, unknown>;
  /** When it was made, by the virtual clock. */
  atMs: number;
}

export interface FakeAnswer {
  status: number;
  headers?: Record<string, string>;
  /** Sent as JSON; a string is sent as it is. */
  body?: unknown;
  /** In flight for so long, by the virtual clock. */
  tookMs?: number;
}

/**
 * What answers a call in place of the service; earlier: how many calls of its kind there were before. undefined: the service
 * itself; offline: no network; hanging: no answer ever comes, not even for an abort.
 */
export type FakeScript = (call: FakeCall, earlier: number) => FakeAnswer | 'offline' | 'hanging' | undefined;

type Service = (call: FakeCall, signal: AbortSignal | null | undefined) => FakeAnswer | Promise<FakeAnswer>;

/** A fetch whose answers a test scripts, on a virtual clock. */
export class FakeNetwork {
  readonly clock = new VirtualClock();
  readonly calls: FakeCall[] = [];
  script: FakeScript = () => undefined;
  /** How many requests are in flight now, and were at the most. */
  inFlight = 0;
  mostInFlight = 0;
  readonly #service: Service;

  constructor(service: Service) {
    this.#service = service;
  }

  callsOf(kind: FakeCall['kind']): FakeCall[] {
    return this.calls.filter((call) => call.kind === kind);
  }

  readonly fetch = (async (url: string, init: RequestInit) => {
    const body = JSON.parse((init.body as string | null | undefined) ?? '{}') as FakeCall['body'];
    const kind = kindOf(url, body);
    const headers = init.headers as FakeCall['headers'];
    const sessionId = /[\da-f]{8}(-[\da-f]{4,}){4}/i.exec(`${url}${String(body['sessionId'])}`)?.[0] ?? '';
    const call: FakeCall = { kind, sessionId, headers, body, atMs: this.clock.nowMs() };
    const earlier = this.callsOf(kind).length;
    this.calls.push(call);
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    try {
      const scripted = this.script(call, earlier);
      if (scripted === 'offline') throw new TypeError('fetch failed');
      if (scripted === 'hanging') return await new Promise<never>(() => undefined);
      const answer = scripted ?? (await this.#service(call, init.signal));
      if (answer.tookMs) await passed(this.clock, answer.tookMs, init.signal);
      return responseOf(answer);
    } finally {
      this.inFlight -= 1;
    }
  }) as typeof fetch;
}

/** @throws Error when aborted */
function passed(clock: VirtualClock, ms: number, signal: AbortSignal | null | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, resolve);
    signal?.addEventListener('abort', () => {
      cancel();
      reject(new Error('aborted'));
    });
  });
}

/** What the SDK reads of a Response, which not every test environment has. */
function responseOf({ status, headers = {}, body }: FakeAnswer): Response {
  const values = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const text = typeof body === 'string' ? body : JSON.stringify(body ?? '');
  return {
    status,
    headers: { get: (name: string) => values.get(name.toLowerCase()) ?? null },
    text: () => Promise.resolve(text),
  } as Response;
}

function kindOf(url: string, body: object): FakeCall['kind'] {
  if (url.endsWith('/updates')) return 'latitude' in body ? 'update' : 'heartbeat';
  if (url.includes('/live?')) return 'live';
  if (url.endsWith('/start-journey')) return 'start';
  return url.endsWith('/arrived') ? 'arrived' : 'stop';
}
