import { Durations } from '../../support/statistics.js';
import type { LoadResult, RequestKind } from './orders.js';
import type { Outgoing } from './request-source.js';

/** The expected statuses. A poll of the mix may come before the journey's next update. */
const expected: Record<RequestKind, Partial<Record<Outgoing['call'], number[]>>> = {
  start: { start: [201] },
  update: { update: [201] },
  live: { poll: [200] },
  unchanged: { poll: [304] },
  mix: { update: [201], poll: [200, 304] },
};

const RETRY_AFTER = /\r\nretry-after: [1-9]/i;

/** Counts answers and their latencies. */
export class Tally {
  readonly #expected: (typeof expected)[RequestKind];
  readonly #latencies = { start: new Durations(), update: new Durations(), poll: new Durations() };
  readonly #accepted = new Durations();
  readonly #refused = new Durations();
  readonly #failures: Record<string, number> = {};
  readonly seen = new Durations();
  readonly ownDelay = new Durations();
  #answers = 0;
  #startedAtMs = performance.now();

  constructor(requests: RequestKind) {
    this.#expected = expected[requests];
  }

  begin(): void {
    this.#startedAtMs = performance.now();
  }

  /** latencyMs: undefined where it is not measured. */
  answered({ call, journey }: Outgoing, status: number, text: string, latencyMs?: number): void {
    this.#answers++;
    if (call === 'poll' && status === 200) journey.rememberState(text);
    const isExpected = this.#expected[call]?.includes(status) === true;
    const isRefused = status === 503 && RETRY_AFTER.test(text);
    if (latencyMs !== undefined) {
      this.#latencies[call].add(latencyMs);
      if (isExpected) this.#accepted.add(latencyMs);
      if (isRefused) this.#refused.add(latencyMs);
    }
    if (isExpected) return;
    this.failed(status === 503 && !isRefused ? `${call} 503 without Retry-After` : `${call} ${status}`);
  }

  failed(what: string): void {
    this.#failures[what] = (this.#failures[what] ?? 0) + 1;
  }

  result(): LoadResult {
    return {
      answers: this.#answers,
      seconds: (performance.now() - this.#startedAtMs) / 1000,
      failures: this.#failures,
      updates: this.#latencies.update.spread(),
      polls: this.#latencies.poll.spread(),
      accepted: this.#accepted.spread(),
      refused: this.#refused.spread(),
      seen: this.seen.spread(),
      ownDelay: this.ownDelay.spread(),
    };
  }
}
