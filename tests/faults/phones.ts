import type { LoadSession } from '../../src/dev/load/sessions.js';
import type { Calls } from './calls.js';
import { Journeys } from './journeys.js';

/** The load: each session's trainer and student, from a start to a stop of it. */
export class Phones {
  readonly #each: Journeys[];
  #driving: Promise<unknown> = Promise.resolve();

  constructor(sessions: readonly LoadSession[], calls: Calls, dataGeneration: () => number) {
    this.#each = sessions.map((session) => new Journeys(session, calls, dataGeneration));
  }

  start(): void {
    this.#driving = Promise.all(this.#each.map((each) => each.run()));
  }

  /** Ends every journey in order. */
  async stop(): Promise<void> {
    for (const each of this.#each) each.stop();
    await this.#driving;
  }
}
