import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { between, seededRandom, type Random } from '../simulation/random.js';
import type { FleetStyle } from './fleet-styles.js';
import { Journey } from './journey.js';
import { IdleSessions, type LoadSession } from './sessions.js';
import type { JourneyDependencies } from './student.js';

export interface FleetOptions {
  /** Trainers who drive at the same time. */
  journeys: number;
  seed: number;
  /** Over which the first journeys start. */
  rampUpSeconds: number;
  style: FleetStyle;
}

/** Until then the service's rate limit has forgotten the session's trainer. */
const restMs = 15_000;
const stopsPerBatch = 20;
const stopBatchMs = 10;

/** Trainers who drive one journey after the other. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #sessions: IdleSessions;
  readonly #with: Omit<JourneyDependencies, 'random'>;
  readonly #active = new Set<Journey>();
  readonly #stopping = new AbortController();
  #toStart: number;
  #trainers: Promise<void>[] = [];

  constructor(
    options: FleetOptions,
    sessions: readonly LoadSession[],
    dependencies: Omit<JourneyDependencies, 'random'>,
  ) {
    this.#options = options;
    this.#sessions = new IdleSessions(sessions);
    this.#with = dependencies;
    this.#toStart = options.journeys;
    // Each trainer listens.
    setMaxListeners(0, this.#stopping.signal);
  }

  /** The first start of each trainer is answered. */
  get hasStarted(): boolean {
    return this.#toStart === 0;
  }

  start(): void {
    const { journeys } = this.#options;
    this.#trainers = Array.from({ length: journeys }, (_, trainer) =>
      // Rejects when the fleet stops.
      this.#work(trainer).catch((error: unknown) => {
        if (!this.#stopping.signal.aborted) this.#with.recorder.fault(`simulator: ${String(error)}`);
      }),
    );
  }

  /** Cancels every journey, at a rate that is no burst, or leaves them as they are. */
  async stop({ leave }: { leave: boolean }): Promise<void> {
    this.#stopping.abort();
    const journeys = [...this.#active];
    for (let first = 0; first < journeys.length; first += stopsPerBatch) {
      for (const journey of journeys.slice(first, first + stopsPerBatch)) {
        if (leave) journey.leave();
        else journey.stop();
      }
      await sleep(stopBatchMs);
    }
    await Promise.all(this.#trainers);
  }

  async #work(trainer: number): Promise<void> {
    const { journeys, rampUpSeconds, seed, style } = this.#options;
    await this.#pause((trainer / journeys) * rampUpSeconds * 1_000);
    for (let turn = 0; !this.#stopping.signal.aborted; turn += 1) {
      // By trainer and turn alone: when other phones get their answers changes nothing.
      const random = seededRandom(seed, trainer, turn);
      const session = await this.#sessions.take();
      this.#stopping.signal.throwIfAborted();
      await this.#drive(session, trainer, turn, random);
      await this.#pause(between(style.pauseMs, random));
    }
  }

  async #drive(session: LoadSession, trainer: number, turn: number, random: Random): Promise<void> {
    const { recorder } = this.#with;
    const { plan, drivenMs } = this.#options.style.plan(session, trainer, turn, random);
    const journey = new Journey(session, plan, { ...this.#with, random });
    this.#active.add(journey);
    const end = await journey.run(drivenMs, () => {
      if (turn === 0) this.#toStart -= 1;
    });
    recorder.ends[end] += 1;
    this.#active.delete(journey);
    const giveBack = () => {
      this.#sessions.giveBack(session);
    };
    void journey.watched.then(() => this.#pause(restMs)).then(giveBack, giveBack);
    // A trainer who cannot start does not try again at once.
    if (end === 'neverStarted') await this.#pause(restMs);
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopping.signal });
  }
}
