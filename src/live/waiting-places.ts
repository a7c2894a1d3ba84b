import type { Caller } from '../journeys/journey.js';

/** A student has a phone, a tablet and connections that broke unnoticed; more than this is no student. */
const MOST_OF_A_CALLER = 100;
/** Fewer callers that no longer wait are not worth a look at all of them. */
const FEWEST_FORGOTTEN = 100;

/** How many polls of one caller wait, so that one token does not hold all the places that the process has. */
export class WaitingPlaces {
  /**
   * Also 0, for a while: most wait again at once, and a map that is full of what was deleted is made anew (1.8 of 29 MB,
   * see RestingRequest).
   */
  readonly #taken = new Map<string, number>();
  #waitNoMore = 0;

  /** Whether there is one more for the caller; each that was given wants its giveBack. */
  take({ userId, role }: Caller): boolean {
    const taken = this.#taken.get(userId);
    // An admin's wall shows all journeys.
    if (role !== 'admin' && taken !== undefined && taken >= MOST_OF_A_CALLER) return false;
    if (taken === 0) this.#waitNoMore--;
    this.#taken.set(userId, (taken ?? 0) + 1);
    return true;
  }

  giveBack({ userId }: Caller): void {
    const taken = this.#taken.get(userId) ?? 0;
    if (taken === 0) return;
    this.#taken.set(userId, taken - 1);
    if (taken === 1 && ++this.#waitNoMore >= Math.max(FEWEST_FORGOTTEN, this.#taken.size / 2)) this.#forget();
  }

  #forget(): void {
    for (const [userId, taken] of this.#taken) if (taken === 0) this.#taken.delete(userId);
    this.#waitNoMore = 0;
  }
}
