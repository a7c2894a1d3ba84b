import type { Clock } from './clock.js';
import { withinDeadline } from './deadline.js';
import type { StartOptions } from './tracker-events.js';

/** A start, with its retries, that the app may give up by a signal or a timeout. */
export class StartAttempt {
  readonly #clock: Clock;
  readonly #options: StartOptions;
  readonly #attempt = new AbortController();
  readonly #retries = new AbortController();

  constructor(clock: Clock, options: StartOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** @throws JourneyApiError DEADLINE_EXCEEDED or ABORTED, or what the work throws */
  async run<Result>(work: (signal: AbortSignal, retries: AbortSignal) => Promise<Result>): Promise<Result> {
    const { signal, timeoutMs = Infinity } = this.#options;
    const giveUp = () => {
      this.giveUp();
    };
    signal?.addEventListener('abort', giveUp);
    if (signal?.aborted) giveUp();
    try {
      return await withinDeadline(this.#clock, timeoutMs, this.#attempt.signal, (inTime) =>
        work(inTime, this.#retries.signal),
      );
    } finally {
      giveUp();
      signal?.removeEventListener('abort', giveUp);
    }
  }

  /** The request in flight goes on. */
  stopRetrying(): void {
    this.#retries.abort();
  }

  giveUp(): void {
    this.#attempt.abort();
    this.#retries.abort();
  }
}
