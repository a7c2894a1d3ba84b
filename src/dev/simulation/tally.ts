const windowMs = 10_000;

export interface Totals {
  journeysActive: number;
  journeysDone: number;
  updatesPerSecond: number;
  pollsPerSecond: number;
  events: number;
  errors: number;
}

/** Counts what happens, and how often it happened in the last ten seconds. */
export class Tally {
  journeysActive = 0;
  journeysDone = 0;
  events = 0;
  errors = 0;
  readonly #updates: number[] = [];
  readonly #polls: number[] = [];
  readonly #startedMs = Date.now();

  countUpdate(): void {
    this.#updates.push(Date.now());
  }

  countPoll(): void {
    this.#polls.push(Date.now());
  }

  totals(): Totals {
    const { journeysActive, journeysDone, events, errors } = this;
    const updatesPerSecond = this.#rate(this.#updates);
    const pollsPerSecond = this.#rate(this.#polls);
    return { journeysActive, journeysDone, updatesPerSecond, pollsPerSecond, events, errors };
  }

  #rate(times: number[]): number {
    const now = Date.now();
    const firstInside = times.findIndex((time) => time > now - windowMs);
    times.splice(0, firstInside === -1 ? times.length : firstInside);
    return times.length / (Math.max(1_000, Math.min(windowMs, now - this.#startedMs)) / 1_000);
  }
}
