import type { Caller } from './journey.js';

/** A student has a phone, a tablet and connections that broke unnoticed; more than this is no student. */
const MOST_OF_A_CALLER = 100;

/** How many polls of one caller wait, so that one token does not hold all the places that the process has. */
export class WaitingPlaces {
  readonly #taken = new Map<string, number>();

  /** Whether there is one more for the caller; each that was given wants its giveBack. */
  take({ userId, role }: Caller): boolean {
    const taken = this.#taken.get(userId) ?? 0;
    // An admin's wall shows all journeys.
    if (role !== 'admin' && taken >= MOST_OF_A_CALLER) return false;
    this.#taken.set(userId, taken + 1);
    return true;
  }

  giveBack({ userId }: Caller): void {
    const left = (this.#taken.get(userId) ?? 0) - 1;
    if (left > 0) this.#taken.set(userId, left);
    else this.#taken.delete(userId);
  }
}
