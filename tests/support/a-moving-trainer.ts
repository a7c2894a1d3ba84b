import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import type { LiveJourney } from '../../src/contract/responses.js';
import type { Coordinates } from '../../src/journeys/distance.js';
import type { JourneyRules, Position } from '../../src/journeys/journey.js';
import { activeView } from '../../src/live/live-view.js';
import type { RecordOutcome } from '../../src/journeys/outcomes.js';
import { RedisJourneyStore } from '../../src/store/journey-store.js';
import { withScripts } from '../../src/store/scripts.js';
import { HOME, metersNorth } from './a-session.js';
import { contractRules } from './driven-journey.js';
import { MovableClock } from './movable-clock.js';
import { keyOf } from './redis-of-the-run.js';
import { sharedRedisUrl } from './shared-services.js';

export type ScriptedRedis = ReturnType<typeof withScripts>;

const connections: ScriptedRedis[] = [];

/** A connection to the run's Redis with the scripts for these rules; closed after the tests of the file. */
export function scriptedRedis(rules: JourneyRules = contractRules): ScriptedRedis {
  const redis = withScripts(new Redis(sharedRedisUrl(), { enableAutoPipelining: true }), rules);
  connections.push(redis);
  return redis;
}

/** A trainer whose positions go straight to the store, at times that the test sets. */
export class MovingTrainer {
  readonly clock = new MovableClock();
  readonly sessionId = randomUUID();
  readonly trainerId = randomUUID();
  readonly #redis: ScriptedRedis;
  readonly #store: RedisJourneyStore;
  readonly #rules: JourneyRules;

  private constructor(redis: ScriptedRedis, rules: JourneyRules) {
    this.#redis = redis;
    this.#rules = rules;
    this.#store = new RedisJourneyStore({
      redis,
      rules,
      commandTimeoutMs: 5_000,
      observe: () => undefined,
      onHealed: () => undefined,
      clock: this.clock.now,
    });
  }

  static async start(
    redis: ScriptedRedis,
    { home = HOME, rules = contractRules }: { home?: Coordinates | null; rules?: JourneyRules } = {},
  ): Promise<MovingTrainer> {
    const trainer = new MovingTrainer(redis, rules);
    const { sessionId, trainerId } = trainer;
    const studentId = randomUUID();
    const session = { sessionId, trainerId, studentId, status: 'scheduled', home };
    await trainer.#store.start({ trainerId, studentId, session }, null);
    return trainer;
  }

  /** Posts a position so many seconds after the last one. */
  async tryToPost(afterSeconds: number, position: Position, ageMs = 0, stretch = 1): Promise<RecordOutcome> {
    this.clock.advance(afterSeconds * 1_000);
    const { sessionId, trainerId } = this;
    return this.#store.recordPosition({ sessionId, trainerId, position, ageMs, stretch });
  }

  /** @returns when the next position is wanted, in milliseconds */
  async post(afterSeconds: number, position: Position, ageMs = 0, stretch = 1): Promise<number> {
    const outcome = await this.tryToPost(afterSeconds, position, ageMs, stretch);
    if (outcome.kind !== 'recorded') throw new Error(`the position was not accepted: ${outcome.kind}`);
    return outcome.nextUpdateMs;
  }

  /** So many metres north of the home. */
  postAt(afterSeconds: number, meters: number, more: Partial<Position> = {}): Promise<number> {
    return this.post(afterSeconds, { ...metersNorth(meters), accuracy: 8, ...more });
  }

  /** Straight to the home every 5 s; from it where metersPerSecond is negative. @returns the distance at the end */
  async drive(fromMeters: number, metersPerSecond: number, seconds: number): Promise<number> {
    let meters = fromMeters;
    for (let second = 5; second <= seconds; second += 5) {
      meters -= 5 * metersPerSecond;
      await this.postAt(5, meters, { speed: Math.abs(metersPerSecond) });
    }
    return meters;
  }

  async view(): Promise<LiveJourney> {
    const reading = await this.#store.readLive(this.sessionId);
    if (reading.kind !== 'active') throw new Error(`the journey is ${reading.kind}`);
    const { updateIntervalMs } = this.#rules;
    return activeView(reading, { updateIntervalMs, stretch: 1 });
  }

  async stored(): Promise<Record<string, unknown>> {
    return JSON.parse(await this.storedText()) as Record<string, unknown>;
  }

  async storedText(): Promise<string> {
    return (await this.#redis.get(keyOf.location(this.trainerId, this.sessionId))) ?? '';
  }

  /** Puts this JSON in place of a field of the stored location, as another writer would. */
  async overwrite(field: string, json: string): Promise<void> {
    const rest = Object.fromEntries(Object.entries(await this.stored()).filter(([name]) => name !== field));
    const text = `${JSON.stringify(rest).slice(0, -1)},"${field}":${json}}`;
    await this.#redis.set(keyOf.location(this.trainerId, this.sessionId), text, 'EX', 300);
  }
}

afterAll(async () => {
  await Promise.all(connections.splice(0).map((redis) => redis.quit()));
});
