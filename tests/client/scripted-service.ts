import { randomUUID } from 'node:crypto';
import { JourneyApi, type JourneyApiOptions } from '../../src/client/index.js';
import { success } from '../../src/client/testing/answers.js';
import {
  FakeNetwork,
  type FakeAnswer,
  type FakeCall,
  type FakeScript,
} from '../../src/client/testing/fake-network.js';

export const START_TIME = Date.UTC(2026, 10, 22, 10);

/** A service without a memory, in which every journey is active; the script may answer in its place. */
export class ScriptedService extends FakeNetwork {
  readonly sessionId = randomUUID();
  readonly api: JourneyApi;
  readonly tokens: boolean[] = [];

  constructor(script?: FakeScript, options: Partial<JourneyApiOptions> = {}) {
    super(({ kind }) => this.proper(kind));
    if (script) this.script = script;
    const { clock, fetch } = this;
    this.api = new JourneyApi({
      baseUrl: 'https://api.example.com/',
      getToken: (forceRefresh) => {
        this.tokens.push(forceRefresh);
        return `token-${this.tokens.filter(Boolean).length}`;
      },
      ...{ fetch, clock, random: () => 0.5 },
      ...options,
    });
  }

  /** The service's time now. */
  time(offsetMs = 0): string {
    return new Date(START_TIME + this.clock.nowMs() + offsetMs).toISOString();
  }

  /** The contract's answer while the journey is active. */
  proper(kind: FakeCall['kind']): FakeAnswer {
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
    } satisfies Record<FakeCall['kind'], [number, object]>;
    const [status, body] = answers[kind];
    return success(status, body, kind === 'live' ? { ETag: 'W/"1"' } : {});
  }
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
