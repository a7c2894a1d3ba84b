import { randomUUID } from 'node:crypto';
import { JourneyApi, type JourneyApiOptions } from '../../src/client/index.js';
import { VirtualClock } from '../../src/client/testing/virtual-clock.js';

export interface ScriptedCall {
  kind: 'start' | 'update' | 'heartbeat' | 'live' | 'arrived' | 'stop';
  headers: Record<string, string>;
  body: Record<string, unknown>;
  atMs: number;
}

export interface ScriptedAnswer {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
  /** On its way for so long, by the virtual clock. */
  tookMs?: number;
}

/** 'away': no network. 'dark': nothing ever comes back, not even for an abort. */
export type Script = (call: ScriptedCall, earlier: number) => ScriptedAnswer | 'away' | 'dark' | undefined;

export const START_TIME = Date.UTC(2026, 10, 22, 10);

/** The contract's service behind an injected fetch on a virtual clock; the script may answer in its place. */
export class ScriptedService {
  readonly clock = new VirtualClock();
  readonly calls: ScriptedCall[] = [];
  readonly sessionId = randomUUID();
  readonly api: JourneyApi;
  /** How many requests are on their way now, and were at the most. */
  inFlight = 0;
  mostInFlight = 0;
  readonly tokens: boolean[] = [];
  readonly #script: Script;

  constructor(script: Script = () => undefined, options: Partial<JourneyApiOptions> = {}) {
    this.#script = script;
    this.api = new JourneyApi({
      baseUrl: 'https://api.example.com/',
      getToken: (forceRefresh) => {
        this.tokens.push(forceRefresh);
        return `token-${this.tokens.filter(Boolean).length}`;
      },
      fetch: ((url: string, init: RequestInit) => this.#fetch(url, init)) as typeof fetch,
      clock: this.clock,
      random: () => 0.5,
      ...options,
    });
  }

  callsOf(kind: ScriptedCall['kind']): ScriptedCall[] {
    return this.calls.filter((call) => call.kind === kind);
  }

  /** The service's time now. */
  time(offsetMs = 0): string {
    return new Date(START_TIME + this.clock.nowMs() + offsetMs).toISOString();
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    const body = JSON.parse((init.body as string | undefined) ?? '{}') as Record<string, unknown>;
    const kind = kindOf(url, body);
    const headers = init.headers as Record<string, string>;
    const call = { kind, headers, body, atMs: this.clock.nowMs() };
    const earlier = this.callsOf(kind).length;
    this.calls.push(call);
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    try {
      const answer = this.#script(call, earlier) ?? this.proper(kind);
      if (answer === 'away') throw new TypeError('fetch failed');
      if (answer === 'dark') return await new Promise<never>(() => undefined);
      await this.#onItsWay(answer.tookMs ?? 0, init.signal);
      const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
      return new Response(answer.status === 304 ? null : text, {
        status: answer.status,
        headers: answer.headers ?? {},
      });
    } finally {
      this.inFlight -= 1;
    }
  }

  async #onItsWay(ms: number, signal: AbortSignal | null | undefined): Promise<void> {
    if (ms === 0) return;
    await new Promise<void>((resolve, reject) => {
      const cancel = this.clock.after(ms, resolve);
      signal?.addEventListener('abort', () => {
        cancel();
        reject(new Error('aborted'));
      });
    });
  }

  /** The contract's answer while the journey is active. */
  proper(kind: ScriptedCall['kind']): ScriptedAnswer {
    const { sessionId } = this;
    const now = this.time();
    const recorded = { sessionId, timestamp: now, ttl: 300, nextUpdateMs: 5_000 };
    const answers = {
      start: [201, { sessionId, startedAt: now, expiresAt: this.time(3_600_000), nextUpdateMs: 5_000 }],
      update: [201, recorded],
      heartbeat: [201, recorded],
      live: [200, live(this, {})],
      arrived: [200, { sessionId, arrivedAt: now, distance: 20 }],
      stop: [200, { sessionId, stoppedAt: now }],
    } satisfies Record<ScriptedCall['kind'], [number, object]>;
    const [status, body] = answers[kind];
    return done(status, body, kind === 'live' ? { ETag: 'W/"1"' } : {});
  }
}

export function done(status: number, data: object, headers: Record<string, string> = {}): ScriptedAnswer {
  return { status, headers, body: { success: true, data } };
}

export function refused(
  status: number,
  code: string,
  { details, headers = {} }: { details?: object; headers?: Record<string, string> } = {},
): ScriptedAnswer {
  const error = { code, requestId: 'r-1', ...(details && { details }) };
  return { status, headers, body: { success: false, message: 'refused', error } };
}

/** A live answer of an active journey, whose position is of now unless told otherwise. */
export function live(service: ScriptedService, more: object): object {
  const startedAt = new Date(START_TIME).toISOString();
  const timestamp = service.time();
  return {
    sessionId: service.sessionId,
    trainerId: randomUUID(),
    isActive: true,
    location: { latitude: 12.9, longitude: 77.5, timestamp },
    lastUpdate: timestamp,
    startedAt,
    expiresAt: new Date(START_TIME + 5_000_000).toISOString(),
    distanceMeters: 900,
    etaSeconds: null,
    ageMs: 0,
    freshness: 'live',
    uncertaintyMeters: null,
    nextPollMs: 5_500,
    ...more,
  };
}

/** A position as expo-location gives it, so many metres on. */
export function fix(metres = 0) {
  return { coords: { latitude: 12.9 + metres / 111_195, longitude: 77.5, accuracy: 8 } };
}

/** The same with a timestamp. */
export function timedFix(metres: number, timestamp: number) {
  return { ...fix(metres), timestamp };
}

function kindOf(url: string, body: object): ScriptedCall['kind'] {
  if (url.endsWith('/updates')) return 'latitude' in body ? 'update' : 'heartbeat';
  if (url.includes('/live?')) return 'live';
  if (url.endsWith('/start-journey')) return 'start';
  return url.endsWith('/arrived') ? 'arrived' : 'stop';
}
