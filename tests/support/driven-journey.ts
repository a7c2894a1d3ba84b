import { randomUUID } from 'node:crypto';
import type { LiveJourney } from '../../src/contract/responses.js';
import { seededRandom } from '../../src/dev/simulation/random.js';
import { distanceMeters, type Coordinates } from '../../src/journeys/distance.js';
import type { JourneyRules } from '../../src/journeys/journey.js';
import { activeView } from '../../src/live/live-view.js';
import type { RecordOutcome } from '../../src/journeys/outcomes.js';
import { RedisJourneyStore, type JourneyStoreDependencies } from '../../src/store/journey-store.js';
import type { Trip } from './trips.js';

export const contractRules: JourneyRules = {
  journeyTtlSeconds: 3_600,
  locationTtlSeconds: 300,
  endedTtlSeconds: 300,
  updateIntervalMs: 5_000,
  updateToleranceMs: 1_000,
  maxSpeedKmh: 120,
  arrivalRadiusMeters: 150,
  coarseAccuracyMeters: 100,
  nearbyRadiusMeters: 500,
};

export interface Reading {
  /** Until the trip ended in fact. */
  leftSeconds: number;
  view: LiveJourney;
}

export interface DrivenJourney {
  /** What is shown after each accepted position. */
  readings: Reading[];
  updates: number;
  polls: number;
  /** The outcomes of the refused positions. */
  refused: RecordOutcome['kind'][];
  seconds: number;
  /** For each second the distance in metres between the trainer and the position that a polling student saw. */
  seenOffMeters: number[];
  /** The same of the last accepted position, which a waiting student sees. */
  knownOffMeters: number[];
}

/** Phones follow the intervals of the service, or post every 5 s and poll every 4 s. */
export type Phones = 'steered' | 'fixed';
const fixedMs = { update: 5_000, poll: 4_000 };
const timerJitterMs = 150;
const wayMs = 80;

/** Drives a trip through the store's scripts on a clock of its own. */
export async function driveJourney(
  redis: JourneyStoreDependencies['redis'],
  trip: Trip,
  phones: Phones = 'steered',
  seed = 1,
): Promise<DrivenJourney> {
  return new DriveThrough(redis, trip, phones, seed).run();
}

class DriveThrough {
  readonly #trip: Trip;
  readonly #phones: Phones;
  readonly #random;
  readonly #store: RedisJourneyStore;
  readonly #ids = { sessionId: randomUUID(), trainerId: randomUUID(), studentId: randomUUID() };
  readonly #startedMs = Date.now();
  readonly #result: DrivenJourney;
  #elapsedMs = 0;
  #sequence = 0;
  #seen: Coordinates | null = null;
  #known: Coordinates | null = null;
  #comparedUntilMs = 0;

  constructor(redis: JourneyStoreDependencies['redis'], trip: Trip, phones: Phones, seed: number) {
    this.#trip = trip;
    const seconds = trip.durationMs / 1_000;
    this.#result = {
      ...{ readings: [], updates: 0, polls: 0, refused: [], seconds },
      ...{ seenOffMeters: [], knownOffMeters: [] },
    };
    this.#phones = phones;
    this.#random = seededRandom(seed);
    this.#store = new RedisJourneyStore({
      redis,
      rules: contractRules,
      commandTimeoutMs: 20_000,
      observe: () => undefined,
      onHealed: () => undefined,
      clock: () => this.#startedMs + Math.round(this.#elapsedMs),
    });
  }

  async run(): Promise<DrivenJourney> {
    const { sessionId, trainerId, studentId } = this.#ids;
    const session = { sessionId, trainerId, studentId, status: 'scheduled', home: this.#trip.home };
    await this.#store.start({ trainerId, studentId, session }, null);
    let updateMs = this.#random() * fixedMs.update;
    let pollMs = this.#random() * fixedMs.poll;
    let isOver = false;
    while (!isOver) {
      const isUpdate = updateMs <= pollMs;
      this.#elapsedMs = Math.min(updateMs, pollMs);
      this.#compare();
      if (isUpdate) {
        isOver = this.#elapsedMs >= this.#trip.durationMs;
        updateMs += (await this.#post()) + this.#random() * timerJitterMs;
      } else {
        pollMs += (await this.#poll()) + wayMs;
      }
    }
    await this.#store.stop(sessionId, trainerId, null);
    return this.#result;
  }

  /** @returns when the phone posts again */
  async #post(): Promise<number> {
    const fix = this.#trip.fixAt(this.#elapsedMs);
    if (fix === null) return fixedMs.update;
    const { sessionId, trainerId } = this.#ids;
    const position = { ...fix.position, sequence: ++this.#sequence };
    const update = { sessionId, trainerId, position, ageMs: fix.ageMs, stretch: 1 };
    const outcome = await this.#store.recordPosition(update);
    this.#result.updates += 1;
    if (outcome.kind !== 'recorded') {
      this.#result.refused.push(outcome.kind);
      return fixedMs.update;
    }
    this.#known = position;
    const leftSeconds = Math.max(0, this.#trip.durationMs - this.#elapsedMs) / 1_000;
    this.#result.readings.push({ leftSeconds, view: await this.#view() });
    return this.#phones === 'steered' ? outcome.nextUpdateMs : fixedMs.update;
  }

  /** @returns when the student's phone asks again */
  async #poll(): Promise<number> {
    const { location, nextPollMs } = await this.#view();
    this.#result.polls += 1;
    this.#seen = location;
    return this.#phones === 'steered' ? nextPollMs : fixedMs.poll;
  }

  async #view(): Promise<LiveJourney> {
    const reading = await this.#store.readLive(this.#ids.sessionId);
    if (reading.kind !== 'active') throw new Error(`the journey is ${reading.kind}`);
    return activeView(reading);
  }

  /** Compares what was seen and known until now with the place of the trainer. */
  #compare(): void {
    for (; this.#comparedUntilMs < this.#elapsedMs; this.#comparedUntilMs += 1_000) {
      const place = this.#trip.placeAt(this.#comparedUntilMs);
      if (this.#seen !== null) this.#result.seenOffMeters.push(distanceMeters(this.#seen, place));
      if (this.#known !== null) this.#result.knownOffMeters.push(distanceMeters(this.#known, place));
    }
  }
}
