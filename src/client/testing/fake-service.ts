import type { EndReason, LiveJourney, TrainerProblem } from '../contract.js';
import { JourneyApi, type JourneyApiOptions } from '../journey-api.js';
import { refusal, success } from './answers.js';
import { FakeJourney, iso, LOCATION_TTL_MS, metersBetween, type Place } from './fake-journey.js';
import { FakeNetwork, type FakeAnswer, type FakeCall } from './fake-network.js';

const TRAINER_ID = '00000000-0000-4000-8000-000000000001';
const STUDENT_ID = '00000000-0000-4000-8000-000000000002';
const ARRIVAL_RADIUS_METERS = 150;

const unknown = {
  ...{ isActive: false, location: null, lastUpdate: null, startedAt: null, expiresAt: null },
  ...{ distanceMeters: null, etaSeconds: null, etaLowSeconds: null, etaHighSeconds: null },
  ...{ ageMs: null, freshness: null, uncertaintyMeters: null, stillSeconds: null, trainerProblem: null },
  nextPollMs: 4_000,
} satisfies Partial<LiveJourney>;

/**
 * The service in memory, for tests of apps, on a virtual clock. Every session exists and may be started by any caller; speeds
 * are not judged and arrivals not estimated. `script` answers in its place.
 */
export class FakeService extends FakeNetwork {
  readonly #home: Place;
  readonly #serverAheadMs = this.clock.wallMs() - this.clock.nowMs();
  readonly #journeys = new Map<string, FakeJourney>();
  readonly #shown = new Map<string, Partial<LiveJourney>>();
  readonly #replays = new Map<string, FakeAnswer>();
  readonly #waiting = new Set<() => void>();

  /** home: where the students live. */
  constructor({ home = { latitude: 12.9716, longitude: 77.5946 } }: { home?: Place } = {}) {
    super((call, signal) => this.#answer(call, signal));
    this.#home = home;
  }

  /** For the app under test, as its trainer or its student. */
  api(options: Partial<JourneyApiOptions> = {}): JourneyApi {
    const { clock, fetch } = this;
    const getToken = () => 'token';
    return new JourneyApi({
      ...{ baseUrl: 'https://api.example.com', getToken, fetch, clock, random: () => 0.5 },
      ...options,
    });
  }

  /** The trainer's phone starts the journey. */
  start(sessionId: string): void {
    this.#journeys.set(sessionId, new FakeJourney(this.#nowMs()));
    this.#shown.delete(sessionId);
    this.#changed();
  }

  /** The trainer's phone sends a position. @throws Error without an active journey */
  moveTo(sessionId: string, place: Place): void {
    const journey = this.#active(sessionId);
    if (journey === null) throw new Error(`no journey of ${sessionId} is active`);
    this.#move(journey, place, 0);
  }

  end(sessionId: string, reason: EndReason): void {
    const journey = this.#active(sessionId);
    if (journey) journey.ended = { reason, atMs: this.#nowMs() };
    this.#changed();
  }

  /** Students see these values, such as etaSeconds, until the next start. */
  show(sessionId: string, values: Partial<LiveJourney>): void {
    this.#shown.set(sessionId, { ...this.#shown.get(sessionId), ...values });
    this.#changed();
  }

  /** What a student is shown now. */
  live(sessionId: string): LiveJourney {
    const view = this.#journey(sessionId)?.view(this.#nowMs(), this.#home);
    return { sessionId, trainerId: TRAINER_ID, ...unknown, ...view, ...this.#shown.get(sessionId) };
  }

  #nowMs(): number {
    return Math.round(this.clock.nowMs() + this.#serverAheadMs);
  }

  #journey(sessionId: string): FakeJourney | null {
    const journey = this.#journeys.get(sessionId);
    return journey && !journey.isForgotten(this.#nowMs()) ? journey : null;
  }

  #active(sessionId: string): FakeJourney | null {
    const journey = this.#journey(sessionId);
    return journey?.isActive(this.#nowMs()) ? journey : null;
  }

  #changed(): void {
    for (const answer of [...this.#waiting]) answer();
  }

  #move(journey: FakeJourney, place: Place, ageMs: number): void {
    journey.place = place;
    journey.problem = null;
    journey.seenAtMs = this.#nowMs();
    journey.fixAtMs = journey.seenAtMs - ageMs;
    this.#changed();
  }

  #answer(call: FakeCall, signal: AbortSignal | null | undefined): FakeAnswer | Promise<FakeAnswer> {
    if (call.kind === 'live') return this.#live(call, signal);
    if (call.kind === 'update' || call.kind === 'heartbeat') return this.#update(call);
    return this.#once(call);
  }

  /** A repeat with the same Idempotency-Key gets the first answer. */
  #once(call: FakeCall): FakeAnswer {
    const key = `${call.kind} ${call.sessionId} ${call.headers['Idempotency-Key']}`;
    const first = this.#replays.get(key);
    if (first) return { ...first, headers: { 'Idempotency-Replayed': 'true' } };
    const answer = call.kind === 'start' ? this.#start(call.sessionId) : this.#end(call);
    if (answer.status < 400) this.#replays.set(key, answer);
    return answer;
  }

  #start(sessionId: string): FakeAnswer {
    const running = this.#active(sessionId);
    if (running === null) this.start(sessionId);
    const { startedAt, expiresAt } = this.live(sessionId);
    if (running) {
      const details = { startedAt, expiresAt, lastSequence: running.last?.sequence ?? null };
      return refusal(409, 'JOURNEY_ALREADY_ACTIVE', { details });
    }
    const parties = { trainerId: TRAINER_ID, studentId: STUDENT_ID };
    return success(201, { sessionId, ...parties, startedAt, expiresAt, nextUpdateMs: 5_000 });
  }

  #end({ kind, sessionId }: FakeCall): FakeAnswer {
    const journey = this.#active(sessionId);
    if (journey === null) return this.#notActive(sessionId);
    const now = iso(this.#nowMs());
    if (kind === 'stop') {
      this.end(sessionId, 'cancelled');
      return success(200, { sessionId, stoppedAt: now });
    }
    const place = this.live(sessionId).location;
    if (place === null) return refusal(400, 'LOCATION_UNKNOWN');
    const distance = Math.round(metersBetween(place, this.#home));
    if (distance > ARRIVAL_RADIUS_METERS) {
      const details = { distance, maxDistance: ARRIVAL_RADIUS_METERS };
      return refusal(400, 'NOT_AT_DESTINATION', { details });
    }
    this.end(sessionId, 'arrived');
    return success(200, { sessionId, arrivedAt: now, distance });
  }

  #notActive(sessionId: string): FakeAnswer {
    const { endedReason: reason, endedAt } = this.live(sessionId);
    if (reason === undefined) return refusal(404, 'JOURNEY_NOT_ACTIVE');
    return refusal(410, 'JOURNEY_ENDED', { details: { reason, endedAt } });
  }

  /** In the contract's order. */
  #update({ sessionId, body }: FakeCall): FakeAnswer {
    const {
      sequence,
      ageMs = 0,
      mocked,
      still,
      problem,
    } = body as Record<string, unknown> & {
      sequence?: number;
      ageMs?: number;
    };
    if (mocked === true) return refusal(400, 'LOCATION_MOCKED');
    const journey = this.#active(sessionId);
    if (journey === null) return this.#notActive(sessionId);
    const { last } = journey;
    const place = placeOf(body);
    const text = JSON.stringify([place?.latitude, place?.longitude, still, problem]);
    const lastSequence = last?.sequence ?? null;
    const isSame = sequence !== undefined && sequence === lastSequence;
    if (last && isSame && text === last.text) return recorded(sessionId, last.timestamp);
    const isBehind = isSame || (sequence !== undefined && sequence < (lastSequence ?? 0));
    const isOld = ageMs > LOCATION_TTL_MS || (journey.place && this.#nowMs() - ageMs < journey.fixAtMs);
    if (isBehind || isOld) return refusal(409, 'LOCATION_STALE', { details: { lastSequence } });
    if (still === true && journey.place === null) return refusal(400, 'LOCATION_UNKNOWN');
    const retryAfterMs = journey.useSlot(this.#nowMs());
    if (retryAfterMs > 0) {
      const headers = { 'Retry-After': String(Math.ceil(retryAfterMs / 1_000)) };
      return refusal(429, 'RATE_LIMITED', { details: { retryAfterMs }, headers });
    }
    const timestamp = iso(this.#nowMs());
    journey.last = { sequence: sequence ?? last?.sequence, text, timestamp };
    if (place) this.#move(journey, place, ageMs);
    else if (still === true && journey.place) this.#move(journey, { ...journey.place, speed: 0 }, 0);
    else {
      journey.problem = problem as TrainerProblem;
      this.#changed();
    }
    return recorded(sessionId, timestamp);
  }

  /** Waits for a change where the caller prefers that. */
  async #live({ sessionId, headers }: FakeCall, signal: AbortSignal | null | undefined): Promise<FakeAnswer> {
    const known = headers['If-None-Match'];
    const seconds = Number(/wait=(\d+)/.exec(headers['Prefer'] ?? '')?.[1] ?? 0);
    const untilMs = this.clock.nowMs() + seconds * 1_000;
    while (this.#etag(sessionId) === known && this.clock.nowMs() < untilMs) {
      await this.#changedOr(untilMs - this.clock.nowMs(), signal);
    }
    const etag = this.#etag(sessionId);
    const view = this.live(sessionId);
    const common = { ETag: etag, ...(seconds > 0 && { 'Preference-Applied': `wait=${seconds}` }) };
    if (etag !== known) return success(200, view, common);
    const headers304 = {
      ...common,
      'Next-Poll-Ms': String(view.nextPollMs),
      ...(view.ageMs !== null && { 'Location-Age-Ms': String(view.ageMs) }),
    };
    return { status: 304, headers: headers304 };
  }

  #etag(sessionId: string): string {
    const version = this.#journey(sessionId)?.version(this.#nowMs()) ?? 'none';
    const shown = this.#shown.get(sessionId);
    return `W/"${version}${shown ? JSON.stringify(shown).replaceAll('"', "'") : ''}"`;
  }

  /** @throws Error when aborted */
  #changedOr(ms: number, signal: AbortSignal | null | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = () => {
        cancel();
        this.#waiting.delete(done);
        if (signal?.aborted) reject(new Error('aborted'));
        else resolve();
      };
      const cancel = this.clock.after(ms, done);
      this.#waiting.add(done);
      signal?.addEventListener('abort', done);
    });
  }
}

function recorded(sessionId: string, timestamp: string): FakeAnswer {
  return success(201, { sessionId, timestamp, ttl: LOCATION_TTL_MS / 1_000, nextUpdateMs: 5_000 });
}

function placeOf(body: FakeCall['body']): Place | null {
  if (body['latitude'] === undefined) return null;
  const names = ['latitude', 'longitude', 'accuracy', 'speed', 'heading', 'sequence'];
  return Object.fromEntries(
    names.filter((name) => body[name] !== undefined).map((name) => [name, body[name]]),
  ) as unknown as Place;
}
