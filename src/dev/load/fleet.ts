import { longMeters, planJourney } from '../simulation/journey-plan.js';
import { seededRandom } from '../simulation/random.js';
import { Journey, type JourneyListener } from './journey.js';
import type { IdleSessions, LoadSession } from './sessions.js';
import type { StudentDependencies } from './student-phone.js';
import { Timer } from './timer-wheel.js';

export interface FleetOptions {
  journeys: number;
  seed: number;
  rampUpSeconds: number;
  watchShare: number;
}

/** Before a session is used again: by then the limit on its trainer's updates has forgotten the last one. */
const restMs = 15_000;
/** What is left of a drive that is under way already is not just its very end. */
const mostDriven = 0.98;

/** So many journeys at any time: where one ends, the next begins. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #sessions: IdleSessions;
  readonly #with: Omit<StudentDependencies, 'random'>;
  readonly #underWay = new Set<Journey>();
  /** Places that have to wait until a session has rested. */
  readonly #waiting: ((session: LoadSession, dueMs: number) => void)[] = [];
  readonly #starting = new Set<Journey>();
  #toCome = 0;

  constructor(
    options: FleetOptions,
    sessions: IdleSessions,
    dependencies: Omit<StudentDependencies, 'random'>,
  ) {
    this.#options = options;
    this.#sessions = sessions;
    this.#with = dependencies;
  }

  /** Every start so far has been answered. */
  get hasStarted(): boolean {
    return this.#toCome === 0 && this.#starting.size === 0;
  }

  get underWay(): ReadonlySet<Journey> {
    return this.#underWay;
  }

  /** Starts evenly spread over the ramp-up, and whatever follows from them. */
  begin(nowMs: number): void {
    const { journeys, rampUpSeconds } = this.#options;
    for (let place = 0; place < journeys; place += 1) {
      this.#toCome += 1;
      const timer = new Timer((dueMs) => {
        this.#toCome -= 1;
        this.#next(place, 0, dueMs);
      });
      this.#with.wheel.schedule(timer, nowMs + (place / journeys) * rampUpSeconds * 1_000);
    }
  }

  #next(place: number, turn: number, dueMs: number): void {
    const session = this.#sessions.take();
    const go = (taken: LoadSession, atMs: number) => {
      this.#go(taken, place, turn, atMs);
    };
    if (session) go(session, dueMs);
    else this.#waiting.push(go);
  }

  #go(session: LoadSession, place: number, turn: number, dueMs: number): void {
    // Of the place and the turn alone: when others' answers come changes nothing.
    const random = seededRandom(this.#options.seed, place, turn);
    const plan = planJourney(session.home, session.streetAngle, longMeters, random);
    const isWatched = random() < this.#options.watchShare;
    // The first ones are somewhere on their way, so that arrivals are spread from the beginning.
    const lastsMs = plan.cancelAfterMs ?? plan.drive.durationMs;
    const drivenMs = turn === 0 ? random() * mostDriven * lastsMs : 0;
    const listener: JourneyListener = {
      started: () => {
        this.#starting.delete(journey);
        this.#with.recorder.journeys.started += 1;
      },
      ended: (how) => {
        this.#starting.delete(journey);
        this.#underWay.delete(journey);
        this.#with.recorder.journeys[how] += 1;
        const pauseMs = how === 'neverStarted' ? restMs : 0;
        this.#later(pauseMs, (atMs) => {
          this.#next(place, turn + 1, atMs);
        });
      },
      over: () => {
        this.#later(restMs, (atMs) => {
          this.#rested(session, atMs);
        });
      },
    };
    const journey: Journey = new Journey(session, plan, isWatched, { ...this.#with, random }, listener);
    this.#underWay.add(journey);
    this.#starting.add(journey);
    journey.start(dueMs, drivenMs);
  }

  #rested(session: LoadSession, nowMs: number): void {
    const go = this.#waiting.shift();
    if (go) go(session, nowMs);
    else this.#sessions.giveBack(session);
  }

  #later(afterMs: number, work: (dueMs: number) => void): void {
    this.#with.wheel.schedule(new Timer(work), performance.now() + afterMs);
  }
}
