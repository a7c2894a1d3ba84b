import { Times } from '../../../src/dev/load/measurements.js';
import type { LoadResult, RequestKind } from './orders.js';
import type { Outgoing, Sequence } from './request-source.js';

/** The statuses that are due. A poll of the mix may come before the journey's next update. */
const due: Record<RequestKind, Record<Outgoing['call'], number[]>> = {
  update: { update: [201], poll: [] },
  live: { update: [], poll: [200] },
  unchanged: { update: [], poll: [304] },
  mix: { update: [201], poll: [200, 304] },
};

const RETRY_AFTER = /\r\nretry-after: [1-9]/i;

/** Counts answers and how long they took. */
export class Tally {
  readonly #due: (typeof due)[RequestKind];
  readonly #times = { update: new Times(), poll: new Times() };
  readonly #accepted = new Times();
  readonly #refused = new Times();
  readonly #failures: Record<string, number> = {};
  readonly seen = new Times();
  readonly ownDelay = new Times();
  readonly untilSent = new Times();
  #answers = 0;
  #startedAtMs = performance.now();
  canWait = false;

  constructor(requests: RequestKind) {
    this.#due = due[requests];
  }

  begin(): void {
    this.#startedAtMs = performance.now();
  }

  /** latencyMs: undefined where it is not measured. */
  answered({ call, journey }: Outgoing, status: number, text: string, latencyMs: number | undefined): void {
    this.#answers++;
    if (call === 'poll' && status === 200) journey.seen(text);
    if (latencyMs !== undefined) this.#times[call].add(latencyMs);
    const isDue = this.#due[call].includes(status);
    const isRefused = status === 503 && RETRY_AFTER.test(text);
    if (latencyMs !== undefined && isDue) this.#accepted.add(latencyMs);
    if (latencyMs !== undefined && isRefused) this.#refused.add(latencyMs);
    if (!isDue)
      this.failed(status === 503 && !isRefused ? `${call} 503 without Retry-After` : `${call} ${status}`);
  }

  failed(what: string): void {
    this.#failures[what] = (this.#failures[what] ?? 0) + 1;
  }

  result(sequence: Sequence, nextJourney: number): LoadResult {
    return {
      answers: this.#answers,
      seconds: (performance.now() - this.#startedAtMs) / 1000,
      failures: this.#failures,
      updates: this.#times.update.spread(),
      polls: this.#times.poll.spread(),
      accepted: this.#accepted.spread(),
      refused: this.#refused.spread(),
      seen: this.seen.spread(),
      ownDelay: this.ownDelay.spread(),
      untilSent: this.untilSent.spread(),
      lastSequence: sequence.last,
      nextJourney,
      canWait: this.canWait,
    };
  }
}
