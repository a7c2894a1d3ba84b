import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Reading } from './answers.js';
import { livePath, sessionPath, updatesPath } from './call-paths.js';
import type { LoadSession } from '../../src/dev/load/sessions.js';
import type { Calls } from './calls.js';
import { endOf, startOf } from './event-log.js';

export const UPDATE_INTERVAL_MS = 500;
const BEAT_MS = 1_000;
const FEWEST_BEATS = 4;
const MOST_BEATS = 12;
const RETRY_MS = 250;
const GIVE_UP_AFTER_MS = 60_000;
const HELD_SECONDS = 1;
const METERS_PER_DEGREE = 111_195;

/**
 * A trainer and a student who make one journey after the other, one call at a time, so that it is known at each moment
 * what the service has acknowledged, and what it may therefore not say.
 */
export class Journeys {
  readonly #session: LoadSession;
  readonly #calls: Calls;
  /** Counts up with each loss of Redis' data. */
  readonly #dataGeneration: () => number;
  #sequence = 0;
  #etag: string | undefined;
  /** The last that the service took in this journey. */
  #taken: number | undefined;
  #isStopping = false;

  constructor(session: LoadSession, calls: Calls, dataGeneration: () => number) {
    this.#session = session;
    this.#calls = calls;
    this.#dataGeneration = dataGeneration;
  }

  stop(): void {
    this.#isStopping = true;
  }

  run(): Promise<void> {
    this.#isStopping = false;
    return this.#oneAfterTheOther();
  }

  async #oneAfterTheOther(): Promise<void> {
    await pause(Math.random() * BEAT_MS * MOST_BEATS);
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
      const isShown = await this.#look(generation);
      if (isShown === false) {
        this.#lost(generation, 'live');
        return;
      }
      await pause(BEAT_MS * (0.6 + 0.4 * Math.random()));
    }
    if (await this.#end()) await this.#lookAfterTheEnd(generation);
    else this.#lost(generation, 'end');
  }

  /** Somebody was told that a journey is not there which was acknowledged and not ended. */
  #lost(generation: number, where: string): void {
    if (generation !== this.#dataGeneration()) return;
    this.#calls.history.journeysLost++;
    this.#calls.history.wrong.add(`${where}: an active journey is not there`);
  }

  /** @returns false where it came to no answer in all that time */
  async #start(): Promise<boolean> {
    const { sessionId } = this.#session;
    this.#etag = undefined;
    this.#taken = undefined;
    const reading = await this.#untilAnswered('start', 'start-journey');
    if (reading.kind === 'done') {
      this.#calls.history.acknowledged.push(startOf(sessionId, reading.data.startedAt));
    }
    return reading.kind === 'done' || (reading.kind === 'refused' && reading.status !== 503);
  }

  /** @returns false where the service says that there is no journey */
  async #update(): Promise<boolean> {
    const { sessionId, trainerToken, home } = this.#session;
    // To and fro by a metre, so that no two updates are implausible however soon one follows the other.
    const meters = 20 + Math.abs((this.#sequence % 80) - 40);
    const body = JSON.stringify({
      sessionId,
      latitude: home.latitude + meters / METERS_PER_DEGREE,
      longitude: home.longitude,
      accuracy: 5,
      sequence: ++this.#sequence,
    });
    const headers = ['authorization', `Bearer ${trainerToken}`, 'content-type', 'application/json'];
    const reading = await this.#calls.make('update', sessionId, {
      ...{ method: 'POST', path: updatesPath, headers, body },
    });
    if (reading.kind === 'done') this.#taken = this.#sequence;
    if (reading.kind !== 'refused' || reading.status === 503 || reading.status === 429) return true;
    if (reading.status === 404 || reading.status === 410) return false;
    this.#calls.history.wrong.add(`update: ${reading.status} ${reading.code}`);
    return true;
  }

  /** @returns whether the journey is shown as active; undefined where that was not said */
  async #look(generation: number): Promise<boolean | undefined> {
    const { sessionId, studentToken } = this.#session;
    const headers = ['authorization', `Bearer ${studentToken}`];
    // Every other student waits for news.
    const waits = this.#etag !== undefined && this.#sequence % 2 === 0;
    if (waits) headers.push('if-none-match', this.#etag ?? '', 'prefer', `wait=${HELD_SECONDS}`);
    const request = { method: 'GET', path: livePath(sessionId), headers, body: null } as const;
    const reading = await this.#calls.make('live', sessionId, request, waits ? HELD_SECONDS * 1_000 : 0);
    if (reading.kind === 'done') {
      const { isActive, location } = reading.data;
      this.#etag = isActive ? reading.etag : undefined;
      const isOld = this.#taken !== undefined && (location?.sequence ?? -1) < this.#taken;
      if (isActive && isOld && generation === this.#dataGeneration()) {
        this.#calls.history.wrong.add('live: an older position than the last that was taken');
      }
      return isActive;
    }
    if (reading.kind === 'refused' && reading.status !== 503) {
      this.#calls.history.wrong.add(`live: ${reading.status} ${reading.code}`);
    }
    return undefined;
  }

  /** @returns false where the service says that there was no journey */
  async #end(): Promise<boolean> {
    const { sessionId } = this.#session;
    if (this.#taken !== undefined && this.#sequence % 2 === 0) {
      const reading = await this.#untilAnswered('arrived', 'arrived');
      if (reading.kind === 'done') {
        this.#calls.history.acknowledged.push(endOf(sessionId, reading.data.arrivedAt));
        return true;
      }
      // A home that cannot be read leaves no other way to end than a stop.
      if (reading.kind === 'refused' && reading.code !== 'LOCATION_UNKNOWN') return false;
    }
    const reading = await this.#untilAnswered('stop', 'stop-journey');
    if (reading.kind !== 'done') return false;
    this.#calls.history.acknowledged.push(endOf(sessionId, reading.data.stoppedAt));
    return true;
  }

  async #lookAfterTheEnd(generation: number): Promise<void> {
    this.#etag = undefined;
    if ((await this.#look(generation)) === true)
      this.#calls.history.wrong.add('live: an ended journey is active');
  }

  /** As an app does: the same key again until there is an answer that is about the journey. */
  async #untilAnswered<Kind extends 'start' | 'arrived' | 'stop'>(
    kind: Kind,
    call: string,
  ): Promise<Reading<Kind>> {
    const { sessionId, trainerToken } = this.#session;
    const headers = ['authorization', `Bearer ${trainerToken}`, 'idempotency-key', randomUUID()];
    const request = { method: 'POST', path: sessionPath(sessionId, call), headers, body: null } as const;
    const giveUpAtMs = performance.now() + GIVE_UP_AFTER_MS;
    for (;;) {
      const generation = this.#dataGeneration();
      const reading = await this.#calls.make(kind, sessionId, request);
      const isFinal = reading.kind === 'done' || (reading.kind === 'refused' && reading.status !== 503);
      if (isFinal) {
        const isExcused = generation !== this.#dataGeneration() || kind !== 'start';
        if (reading.kind === 'refused' && !isExcused) {
          this.#calls.history.wrong.add(`${kind}: ${reading.status} ${reading.code}`);
        }
        return reading;
      }
      if (performance.now() > giveUpAtMs) {
        this.#calls.history.wrong.add(`${kind}: not served for a minute`);
        return reading;
      }
      await pause(RETRY_MS);
    }
  }
}
