import type { JourneyExpiries } from './journey-expiries.js';

const SWEEP_INTERVAL_MS = 1_000;
const BATCH_SIZE = 100;

export interface ExpirySweeperDependencies {
  expiries: JourneyExpiries;
  /** Whether a script could fail after its first write. */
  isForbidden: () => boolean;
  onExpired: (count: number) => void;
  /** The record of an expired journey could not be read, so it ended without an event. */
  onUntracked: (sessionId: string) => void;
  onError: (error: unknown) => void;
}

/** Ends journeys that have reached their time limit. Runs in every process; each journey is ended once. */
export class ExpirySweeper {
  readonly #dependencies: ExpirySweeperDependencies;
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> = Promise.resolve();

  constructor(dependencies: ExpirySweeperDependencies) {
    this.#dependencies = dependencies;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#sweeping = this.#sweeping.then(() => this.#sweep()).catch(this.#dependencies.onError);
    }, SWEEP_INTERVAL_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sweeping;
  }

  async #sweep(): Promise<void> {
    const { expiries, isForbidden, onExpired, onUntracked, onError } = this.#dependencies;
    if (isForbidden()) return;
    for (;;) {
      const { expired, untracked, isMore, failure } = await expiries.endOverdue(BATCH_SIZE);
      if (expired > 0) onExpired(expired);
      untracked.forEach(onUntracked);
      if (failure !== undefined) onError(failure);
      if (!isMore || failure !== undefined) return;
    }
  }
}
