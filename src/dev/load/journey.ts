import type { JourneyPlan } from '../simulation/journey-plan.js';
import type { LoadSession } from './sessions.js';
import { StudentPhone, type StudentDependencies } from './student-phone.js';
import { TrainerPhone, type JourneyEnd } from './trainer-phone.js';

export interface JourneyListener {
  started(): void;
  /** The trainer is free for another journey. */
  ended(how: JourneyEnd): void;
  /** Nobody looks at the session any more. */
  over(): void;
}

/** A trainer on the way to a student, who may be watching. */
export class Journey {
  readonly #trainer: TrainerPhone;
  readonly #listener: JourneyListener;
  #isWatched: boolean;

  constructor(
    session: LoadSession,
    plan: JourneyPlan,
    isWatched: boolean,
    dependencies: StudentDependencies,
    listener: JourneyListener,
  ) {
    this.#listener = listener;
    this.#isWatched = false;
    this.#trainer = new TrainerPhone(session, plan, dependencies, {
      started: () => {
        listener.started();
        if (!isWatched) return;
        this.#isWatched = true;
        student.open();
      },
      ended: (how) => {
        listener.ended(how);
        if (!this.#isWatched) listener.over();
      },
    });
    const student = new StudentPhone(session, this.#trainer, dependencies, () => {
      this.#isWatched = false;
      if (this.#trainer.isOver) this.#listener.over();
    });
  }

  start(dueMs: number, drivenMs: number): void {
    this.#trainer.start(dueMs, drivenMs);
  }

  stop(dueMs: number): void {
    this.#trainer.stop(dueMs);
  }
}
