import { setTimeout as pause } from 'node:timers/promises';
import { JourneyApiError, type JourneyApi } from '../../src/client/index.js';
import type { Calls } from './calls.js';
import { endOf, startOf } from './event-log.js';

export interface FaultSession {
  sessionId: string;
  home: { latitude: number; longitude: number };
  trainer: JourneyApi;
  student: JourneyApi;
}

export const UPDATE_INTERVAL_MS = 500;
const BEAT_MS = 1_000;
const FEWEST_BEATS = 4;
const MOST_BEATS = 12;
const RETRY_MS = 250;
const GIVE_UP_AFTER_MS = 60_000;
const WAIT_SECONDS = 1;
const METERS_PER_DEGREE = 111_195;

type Outcome<Data> =
  | { kind: 'done'; data: Data }
  | { kind: 'refused'; status: number; code: string }
  /** A 5xx, or no answer. */
  | { kind: 'unavailable' };

/**
 * A trainer and a student who make one journey after the other with one call at a time, so that it is always known what
 * the service has acknowledged.
 */
export class Journeys {
  readonly #session: FaultSession;
  readonly #calls: Calls;
  /** Increases with each loss of Redis' data. */
  readonly #dataGeneration: () => number;
  #sequence = 0;
  #etag: string | null = null;
  /** The last accepted sequence of this journey. */
  #accepted: number | undefined;
  #isStopping = false;

  constructor(session: FaultSession, calls: Calls, dataGeneration: () => number) {
    this.#session = session;
    this.#calls = calls;
    this.#dataGeneration = dataGeneration;
  }

  /** The current journey is ended first. */
  stop(): void {
    this.#isStopping = true;
  }

  async run(): Promise<void> {
    this.#isStopping = false;
    await pause(Math.random() * BEAT_MS * MOST_BEATS);
    await this.#untilStopped();
  }

  async #untilStopped(): Promise<void> {
    while (!this.#isStopping) await this.#journey();
  }

  async #journey(): Promise<void> {
    const generation = this.#dataGeneration();
    if (!(await this.#start())) return;
    const beats = FEWEST_BEATS + Math.floor(Math.random() * (MOST_BEATS - FEWEST_BEATS));
    for (let beat = 0; beat < beats && !this.#isStopping; beat++) {
      if (!(await this.#update())) {
        this.#lost(generation, 'update');
        return;
      }
      if ((await this.#watch(generation)) === false) {
        this.#lost(generation, 'live');
        return;
      }
      await pause(BEAT_MS * (0.6 + 0.4 * Math.random()));
    }
    if (!(await this.#end())) {
      this.#lost(generation, 'end');
      return;
    }
    this.#etag = null;
    if ((await this.#watch(generation)) === true) this.#wrong('live: an ended journey is active');
  }

  /** The service does not know a journey that it acknowledged and that was not ended. */
  #lost(generation: number, where: string): void {
    if (generation !== this.#dataGeneration()) return;
    this.#calls.history.journeysLost++;
    this.#wrong(`${where}: an active journey is lost`);
  }

  #wrong(what: string): void {
    this.#calls.history.wrong.add(what);
  }

  /** @returns false where nothing was answered until this gave up */
  async #start(): Promise<boolean> {
    const { sessionId, trainer } = this.#session;
    this.#etag = null;
    this.#accepted = undefined;
    const generation = this.#dataGeneration();
    const outcome = await this.#repeated('start', (idempotencyKey) =>
      trainer.start(sessionId, { idempotencyKey }),
    );
    if (outcome.kind === 'refused' && generation === this.#dataGeneration())
      this.#wrong(`start: ${outcome.status} ${outcome.code}`);
    if (outcome.kind === 'done')
      this.#calls.history.acknowledged.push(startOf(sessionId, outcome.data.startedAt));
    return outcome.kind !== 'unavailable';
  }

  /** @returns false where the service says that there is no journey */
  async #update(): Promise<boolean> {
    const { sessionId, trainer, home } = this.#session;
    // A metre at a time, so that no two updates are implausible however fast they follow each other.
    const meters = 20 + Math.abs((this.#sequence % 80) - 40);
    const latitude = home.latitude + meters / METERS_PER_DEGREE;
    const position = { sessionId, latitude, longitude: home.longitude, accuracy: 5 };
    const outcome = await attempt(trainer.update({ ...position, sequence: ++this.#sequence }));
    switch (outcome.kind) {
      case 'done':
        this.#accepted = this.#sequence;
        return true;
      case 'unavailable':
        return true;
      case 'refused': {
        const isKnown = [404, 410, 429].includes(outcome.status);
        if (!isKnown) this.#wrong(`update: ${outcome.status} ${outcome.code}`);
        return outcome.status !== 404 && outcome.status !== 410;
      }
    }
  }

  /** @returns whether the journey is shown as active; undefined where the answer does not say */
  async #watch(generation: number): Promise<boolean | undefined> {
    const { sessionId, student } = this.#session;
    // Every other poll waits for a change.
    const waits = this.#etag !== null && this.#sequence % 2 === 0;
    const options = waits ? { etag: this.#etag, waitSeconds: WAIT_SECONDS } : {};
    const outcome = await attempt(student.live(sessionId, options));
    if (outcome.kind === 'refused') this.#wrong(`live: ${outcome.status} ${outcome.code}`);
    if (outcome.kind !== 'done' || outcome.data.journey === null) return undefined;
    const { journey, etag } = outcome.data;
    this.#etag = journey.isActive ? etag : null;
    const isOld = this.#accepted !== undefined && (journey.location?.sequence ?? -1) < this.#accepted;
    if (journey.isActive && isOld && generation === this.#dataGeneration())
      this.#wrong('live: an older position than the last accepted one');
    return journey.isActive;
  }

  /** @returns false where the service says that there was no journey */
  async #end(): Promise<boolean> {
    const { sessionId, trainer } = this.#session;
    if (this.#accepted !== undefined && this.#sequence % 2 === 0) {
      const arrived = await this.#repeated('arrived', (idempotencyKey) =>
        trainer.arrived(sessionId, { idempotencyKey }),
      );
      if (arrived.kind === 'done') return this.#ended(arrived.data.arrivedAt);
      // Without a readable home only stop is left.
      if (arrived.kind === 'refused' && arrived.code !== 'LOCATION_UNKNOWN') return false;
    }
    const stopped = await this.#repeated('stop', (idempotencyKey) =>
      trainer.stop(sessionId, { idempotencyKey }),
    );
    return stopped.kind === 'done' && this.#ended(stopped.data.stoppedAt);
  }

  #ended(at: string): true {
    this.#calls.history.acknowledged.push(endOf(this.#session.sessionId, at));
    return true;
  }

  /** As an app does: with the same idempotency key until the service is available. */
  async #repeated<Data>(what: string, call: (key: string) => Promise<Data>): Promise<Outcome<Data>> {
    const key = this.#session.trainer.newIdempotencyKey();
    const giveUpAtMs = performance.now() + GIVE_UP_AFTER_MS;
    for (;;) {
      const outcome = await attempt(call(key));
      if (outcome.kind !== 'unavailable') return outcome;
      if (performance.now() > giveUpAtMs) {
        this.#wrong(`${what}: unavailable for a minute`);
        return outcome;
      }
      await pause(RETRY_MS);
    }
  }
}

async function attempt<Data>(call: Promise<Data>): Promise<Outcome<Data>> {
  try {
    return { kind: 'done', data: await call };
  } catch (error) {
    if (!(error instanceof JourneyApiError)) throw error;
    const { status, code } = error;
    return status === 0 || status >= 500 ? { kind: 'unavailable' } : { kind: 'refused', status, code };
  }
}
