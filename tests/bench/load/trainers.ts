import { Timer, TimerWheel } from './timer-wheel.js';
import { retryAfterMs } from './http-connection.js';
import type { JourneyRequests } from './journey-requests.js';
import type { Sequence, Outgoing } from './request-source.js';

/** Over the longest interval that they may be told: those that begin within an ordinary one stay a crowd for minutes. */
const BEGIN_WITHIN_MS = 15_000;
const NEXT_UPDATE_MS = /"nextUpdateMs":(\d+)/;

interface Trainer {
  journey: JourneyRequests;
  intervalMs: number;
  timer: Timer;
  /** When its newest update was due. */
  sentMs: number;
}

/** Each sends when the last answer asked for it, as the apps do; until there is one, at the ordinary interval. */
export class Trainers {
  readonly #wheel: TimerWheel;
  readonly #trainers: Map<JourneyRequests, Trainer>;
  readonly #due: Trainer[] = [];
  readonly #sequence: Sequence;

  constructor(
    journeys: readonly JourneyRequests[],
    sequence: Sequence,
    timing: { startMs: number; intervalMs: number },
  ) {
    this.#wheel = new TimerWheel(timing.startMs);
    this.#sequence = sequence;
    this.#trainers = new Map(journeys.map((journey) => [journey, this.#trainer(journey, timing)]));
  }

  #trainer(
    journey: JourneyRequests,
    { startMs, intervalMs }: { startMs: number; intervalMs: number },
  ): Trainer {
    const fire = (dueMs: number) => {
      trainer.sentMs = dueMs;
      this.#due.push(trainer);
    };
    const trainer = { journey, intervalMs, timer: new Timer(fire), sentMs: -Infinity };
    this.#wheel.schedule(trainer.timer, startMs + Math.random() * Math.max(intervalMs, BEGIN_WITHIN_MS));
    return trainer;
  }

  dueMs(): number {
    this.#wheel.turnTo(performance.now());
    return this.#due[0]?.sentMs ?? Infinity;
  }

  take(): Outgoing {
    const trainer = this.#due.shift();
    if (trainer === undefined) throw new Error('no update is due');
    const { journey, timer, sentMs, intervalMs } = trainer;
    // Whatever becomes of this one.
    this.#wheel.schedule(timer, sentMs + intervalMs);
    return { call: 'update', bytes: journey.update(this.#sequence.next()), journey };
  }

  /** dueMs: when the answered update was due. */
  heard({ journey }: Outgoing, dueMs: number, text: string): void {
    const trainer = this.#trainers.get(journey);
    if (trainer?.sentMs !== dueMs) return;
    const nextUpdateMs = NEXT_UPDATE_MS.exec(text)?.[1];
    const pauseMs = retryAfterMs(text);
    if (nextUpdateMs !== undefined) {
      trainer.intervalMs = Number(nextUpdateMs);
      this.#wheel.schedule(trainer.timer, dueMs + trainer.intervalMs);
    } else if (pauseMs !== undefined) {
      this.#wheel.schedule(trainer.timer, performance.now() + pauseMs);
    }
  }
}
