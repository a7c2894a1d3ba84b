import { randomUUID } from 'node:crypto';
import type { Position } from '../../src/journeys/journey.js';
import { RedisJourneyStore, type JourneyStoreDependencies } from '../../src/store/journey-store.js';
import { seededRandom, type Random } from '../../src/dev/simulation/random.js';
import { contractRules } from '../support/driven-journey.js';
import { metersBetween } from './contract/geometry.js';
import type { Place } from './contract/state.js';

/** Drives of random honest and dishonest phones against the scripts. Each returns what is wrong, or null. */
export type Property = (redis: JourneyStoreDependencies['redis'], seed: number) => Promise<string | null>;

const HOME: Place = { latitude: 12.9716, longitude: 77.5946 };
const METERS_PER_SECOND = contractRules.maxSpeedKmh / 3.6;
const INTERVAL_MS = contractRules.updateIntervalMs;
const UPDATES = 60;

/** A journey whose updates come when the test says. */
class Phone {
  nowMs = Date.now();
  readonly random: Random;
  readonly #store: RedisJourneyStore;
  readonly #ids = { sessionId: randomUUID(), trainerId: randomUUID() };

  constructor(redis: JourneyStoreDependencies['redis'], seed: number) {
    this.random = seededRandom(seed);
    this.#store = new RedisJourneyStore({
      ...{ redis, rules: contractRules, commandTimeoutMs: 20_000, clock: () => this.nowMs },
      ...{ observe: () => undefined, onHealed: () => undefined },
    });
  }

  async start(home: Place | null): Promise<void> {
    const { sessionId, trainerId } = this.#ids;
    const studentId = randomUUID();
    const session = { sessionId, trainerId, studentId, status: 'scheduled', home };
    await this.#store.start({ trainerId, studentId, session }, null);
  }

  async post(position: Position, ageMs = 0): Promise<{ isTaken: boolean; nextUpdateMs: number }> {
    const outcome = await this.#store.recordPosition({ ...this.#ids, position, ageMs, stretch: 1 });
    const isTaken = outcome.kind === 'recorded' || outcome.kind === 'reanchored';
    return { isTaken, nextUpdateMs: isTaken ? outcome.nextUpdateMs : INTERVAL_MS };
  }

  async arrives(): Promise<boolean> {
    return (await this.#store.arrive(this.#ids.sessionId, this.#ids.trainerId, null)).kind === 'arrived';
  }

  async stop(): Promise<void> {
    await this.#store.stop(this.#ids.sessionId, null, null);
  }

  between(least: number, most: number): number {
    return least + this.random() * (most - least);
  }

  chance(share: number): boolean {
    return this.random() < share;
  }
}

function moved({ latitude, longitude }: Place, meters: number, angle: number): Place {
  const metersPerDegree = 111_195.08;
  const east = (meters * Math.sin(angle)) / (metersPerDegree * Math.cos((latitude * Math.PI) / 180));
  const north = latitude + (meters * Math.cos(angle)) / metersPerDegree;
  return { latitude: Math.max(-89, Math.min(89, north)), longitude: ((longitude + east + 540) % 360) - 180 };
}

/** One to three wild fixes, in half of the drives close together and from the first one on. */
function wildUpdates(phone: Phone): Set<number> {
  const wild = new Set<number>();
  const count = Math.ceil(phone.between(0, 3));
  const [least, most] = phone.chance(0.5) ? [0, 5] : [0, UPDATES];
  while (wild.size < count) wild.add(Math.floor(phone.between(least, most)));
  return wild;
}

/** At up to 110 km/h, with a receiver's noise, gaps, and requests delayed by up to 15 s. */
const honestPhone: Property = async (redis, seed) => {
  const phone = new Phone(redis, seed);
  await phone.start(null);
  const metersPerSecond = phone.between(0, 110 / 3.6);
  const accuracy = phone.chance(0.8) ? phone.between(5, 60) : undefined;
  const noise = Math.min(accuracy ?? 4, 30);
  const delayed = phone.between(0, 0.4);
  const wild = wildUpdates(phone);
  let [place, heading, madeMs, waitMs] = [HOME, phone.between(0, 6.28), phone.nowMs, 0];
  let refused = { inARow: 0, honest: 0 };
  for (let update = 0; update < UPDATES; update++) {
    const pauseMs = phone.chance(0.03) ? phone.between(0, 120_000) : phone.between(0, 200);
    const postedMs = phone.nowMs + waitMs + pauseMs;
    heading += phone.between(-0.4, 0.4);
    place = moved(place, (metersPerSecond * (postedMs - madeMs)) / 1_000, heading);
    madeMs = postedMs;
    // Nothing says when the first was due, so a delay of it is one more wild fix.
    const isDelayed = update > 0 && phone.chance(delayed);
    phone.nowMs = Math.round(postedMs + phone.between(0, isDelayed ? 15_000 : 200));
    const isWild = wild.has(update);
    const off = isWild ? phone.between(0, 1) ** 6 * 10_000_000 : phone.between(0, noise);
    const fix = moved(place, off, phone.between(0, 6.28));
    const { isTaken, nextUpdateMs } = await phone.post({ ...fix, accuracy, sequence: update });
    waitMs = nextUpdateMs;
    refused = isTaken
      ? { inARow: 0, honest: 0 }
      : { inARow: refused.inARow + 1, honest: refused.honest + (isWild ? 0 : 1) };
    if (refused.honest > 3 || (refused.inARow > 3 && wild.size === 1)) {
      return `honest ${seed}: ${JSON.stringify(refused)} refused at ${update}, wild: ${[...wild].join()}`;
    }
  }
  await phone.stop();
  return null;
};

/** Jumps between far places: two of them for one to three updates each, or several with each update. */
const alternatingSpoofer: Property = async (redis, seed) => {
  const phone = new Phone(redis, seed);
  await phone.start(null);
  const places = Array.from({ length: Math.ceil(phone.between(1, 5)) }, (_, index) =>
    moved(HOME, index * 300_000, phone.between(0, 6.28)),
  );
  const stays = places.length === 2 ? Math.ceil(phone.between(0, 3)) : 1;
  let at = 0;
  for (let update = 0; update < UPDATES; update++) {
    if (update % stays === 0 && update > 0) {
      at = (at + Math.ceil(phone.between(0, places.length - 1))) % places.length;
    }
    phone.nowMs += Math.round(phone.between(INTERVAL_MS, 16_000));
    const { isTaken } = await phone.post({ ...(places[at] ?? HOME), sequence: update });
    if (isTaken && at !== 0) return `spoofer ${seed}: believed at update ${update}`;
  }
  await phone.stop();
  return null;
};

/** Far from home for three updates, then anywhere at any time, with any age, and arrives after each. */
const teleporter: Property = async (redis, seed) => {
  const phone = new Phone(redis, seed);
  await phone.start(HOME);
  let place = moved(HOME, phone.between(1_000, 15_000), phone.between(0, 6.28));
  const meters = metersBetween(place, HOME) - contractRules.arrivalRadiusMeters;
  for (let update = 0; update < 3; update++) {
    phone.nowMs += INTERVAL_MS;
    await phone.post(place);
  }
  const sinceMs = phone.nowMs;
  const homely = phone.between(0.3, 1);
  for (let update = 0; update < 2 * UPDATES; update++) {
    phone.nowMs += Math.round(phone.between(4_000, phone.chance(0.2) ? 30_000 : 6_000));
    const step = phone.between(0, 1) ** 3 * 2_000;
    if (phone.chance(homely)) place = moved(HOME, phone.between(0, 140), 0);
    else place = moved(place, step, phone.between(0, 6.28));
    const accuracy = phone.chance(0.1) ? 500 : 0;
    await phone.post({ ...place, accuracy }, phone.chance(0.1) ? Math.round(phone.between(0, 30_000)) : 0);
    if (!(await phone.arrives())) continue;
    const earliestMs = (meters / METERS_PER_SECOND) * 1_000;
    // A metre, because the distances are computed in two ways.
    if (phone.nowMs - sinceMs > earliestMs - 30) return null;
    return `teleporter ${seed}: ${meters.toFixed(0)} m in ${phone.nowMs - sinceMs} ms`;
  }
  await phone.stop();
  return null;
};

export const phones = {
  'an honest phone with one to three wild fixes is never refused more than three times in a row': honestPhone,
  'a spoofer who alternates between far places is never believed': alternatingSpoofer,
  'a teleporter cannot arrive before 120 km/h would have let him': teleporter,
};

const AT_ONCE = 50;

/** @returns what is wrong first; null: nothing in `runs` runs */
export async function holds(
  property: Property,
  redis: JourneyStoreDependencies['redis'],
  runs: number,
  seed: number,
): Promise<string | null> {
  for (let first = 0; first < runs; first += AT_ONCE) {
    const seeds = Array.from({ length: Math.min(AT_ONCE, runs - first) }, (_, index) => seed + first + index);
    const wrong = (await Promise.all(seeds.map((each) => property(redis, each)))).find(
      (text) => text !== null,
    );
    if (wrong !== undefined) return wrong;
  }
  return null;
}
