import type {
  JourneyArrived,
  JourneyStarted,
  JourneyStopped,
  HeartbeatBody,
  PositionRecorded,
  PositionUpdateBody,
} from './contract.js';
import { accessToken, type AccessToken, type GetToken } from './access-token.js';
import { dataOf, errorOf, liveAnswer, type LiveAnswer } from './answer.js';
import { systemClock, type Clock } from './clock.js';
import { withinDeadline } from './deadline.js';
import { JourneyApiError } from './journey-api-error.js';
import { checkSessionId, checkUpdate } from './position.js';
import type { Received } from './received.js';

export interface JourneyApiOptions {
  /** Without /api/v1/admin: 'https://api.example.com'. */
  baseUrl: string;
  getToken: GetToken;
  fetch?: typeof fetch;
  clock?: Clock;
  /** From 0 to below 1. */
  random?: () => number;
}

export interface CallOptions {
  signal?: AbortSignal | undefined;
}

export interface UpdateOptions extends CallOptions {
  /** The age of the fix; called when a request is written, because the token may take seconds. */
  ageMs?: (() => number | undefined) | undefined;
}

export interface RepeatableOptions extends CallOptions {
  /** A repeat with the same key gets the first answer again; 1 to 128 visible ASCII characters. Default: a new key. */
  idempotencyKey?: string | undefined;
}

export interface LiveOptions extends CallOptions {
  /** From the last answer. */
  etag?: string | null;
  /** How long the service may wait for a change before it answers; needs etag. */
  waitSeconds?: number;
}

const BASE_PATH = '/api/v1/admin';
export const DEADLINE_MS = 10_000;
/** Android makes five connections to a host at a time; waiting polls must not take them all. */
const MOST_WAITING_POLLS = 2;

interface Init {
  method?: 'POST';
  headers: Record<string, string>;
  body?: () => string;
  cache?: 'no-store';
}

/** The service's calls. Each makes one request, and a second one with a new token after a 401; rejects with JourneyApiError. */
export class JourneyApi {
  readonly clock: Clock;
  readonly random: () => number;
  readonly #url: string;
  readonly #fetch: typeof fetch;
  readonly #token: AccessToken;
  readonly #whenOnline = new Set<() => void>();
  #waitingPolls = 0;

  constructor({ baseUrl, getToken, fetch: send, clock, random }: JourneyApiOptions) {
    this.clock = clock ?? systemClock;
    this.random = random ?? Math.random;
    this.#url = baseUrl.replace(/\/+$/, '') + BASE_PATH;
    // Looked up for each call, because apps replace the global fetch.
    this.#fetch = send ?? ((url, init) => fetch(url, init));
    this.#token = accessToken(this.clock, getToken);
  }

  async start(sessionId: string, options: RepeatableOptions = {}): Promise<JourneyStarted> {
    return this.#post(sessionId, 'start-journey', options);
  }

  async arrived(sessionId: string, options: RepeatableOptions = {}): Promise<JourneyArrived> {
    return this.#post(sessionId, 'arrived', options);
  }

  async stop(sessionId: string, options: RepeatableOptions = {}): Promise<JourneyStopped> {
    return this.#post(sessionId, 'stop-journey', options);
  }

  /** Degrees WGS 84, metres, metres per second; or a heartbeat. A sequence makes a repeat harmless. */
  async update(
    update: PositionUpdateBody | HeartbeatBody,
    options: UpdateOptions = {},
  ): Promise<PositionRecorded> {
    checkUpdate(update);
    const { signal, ageMs = () => (update as PositionUpdateBody).ageMs } = options;
    const path = '/location-tracking/journey/updates';
    const headers = { 'Content-Type': 'application/json' };
    const body = () => JSON.stringify({ ...update, ageMs: ageMs() });
    const init: Init = { method: 'POST', headers, body };
    return dataOf(await this.#call(path, init, signal)) as PositionRecorded;
  }

  /** Of more than two waiting polls at a time the further ones do not wait. */
  async live(sessionId: string, { etag, waitSeconds = 0, signal }: LiveOptions = {}): Promise<LiveAnswer> {
    checkSessionId(sessionId);
    // Without a known state there is no change to wait for.
    const wait = etag && this.#waitingPolls < MOST_WAITING_POLLS ? waitSeconds : 0;
    const headers = {
      ...(etag && { 'If-None-Match': etag }),
      ...(wait && { Prefer: `wait=${wait}` }),
    };
    const path = `/location-tracking/journey/live?sessionId=${sessionId}`;
    if (wait) this.#waitingPolls++;
    try {
      // iOS' cache would replace a 304 by the earlier 200; React Native disables it with no-store.
      return liveAnswer(await this.#call(path, { headers, cache: 'no-store' }, signal, wait * 1_000));
    } finally {
      if (wait) this.#waitingPolls--;
    }
  }

  /** A key for one action of the user, to be passed with each try. */
  newIdempotencyKey(): string {
    return [1, 2, 3].map(() => this.random().toString(36).slice(2)).join('-');
  }

  /** Call it when the phone has a network again: pending retries are made within 3 s. */
  backOnline(): void {
    for (const listener of this.#whenOnline) listener();
  }

  /** The returned function unsubscribes. */
  whenOnline(listener: () => void): () => void {
    this.#whenOnline.add(listener);
    return () => {
      this.#whenOnline.delete(listener);
    };
  }

  async #post<Data>(sessionId: string, call: string, options: RepeatableOptions): Promise<Data> {
    checkSessionId(sessionId);
    const { signal, idempotencyKey = this.newIdempotencyKey() } = options;
    const path = `/sessions/${sessionId}/${call}`;
    const init: Init = { method: 'POST', headers: { 'Idempotency-Key': idempotencyKey } };
    return dataOf(await this.#call(path, init, signal)) as Data;
  }

  /** @throws JourneyApiError */
  async #call(path: string, init: Init, caller: AbortSignal | undefined, waitMs = 0): Promise<Received> {
    try {
      return await withinDeadline(this.clock, DEADLINE_MS + waitMs, caller, (signal) =>
        this.#authorized(path, init, signal),
      );
    } catch (error) {
      if (error instanceof JourneyApiError) throw error;
      throw new JourneyApiError(0, 'NETWORK_ERROR', String(error));
    }
  }

  async #authorized(path: string, init: Init, signal: AbortSignal): Promise<Received> {
    const token = await this.#token.current();
    let received = await this.#send(path, init, signal, token);
    if (received.status === 401) {
      received = await this.#send(path, init, signal, await this.#token.after(token));
      if (received.status === 401) this.#token.forget();
    }
    if (received.status >= 400) throw errorOf(received);
    return received;
  }

  async #send(path: string, init: Init, signal: AbortSignal, token: string): Promise<Received> {
    // The deadline may have passed while the app got the token.
    if (signal.aborted) throw new Error('aborted');
    // Browsers refuse fetch as a method of another object.
    const send = this.#fetch;
    const headers = { ...init.headers, Authorization: `Bearer ${token}` };
    const body = init.body?.() ?? null;
    const response = await send(this.#url + path, { ...init, headers, body, signal });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }
}
