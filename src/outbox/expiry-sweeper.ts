import type { JourneyExpiries } from './journey-expiries.js';

const SWEEP_EVERY_MS = 1_000;
const BATCH = 100;

export interface ExpirySweeperDependencies {
  deadlines: JourneyExpiries;
  onExpired: (count: number) => void;
  /** A deadline whose journey could not be read, and so ended without an event. */
  onUntracked: (sessionId: string) => void;
  onError: (error: unknown) => void;
}

/** Looks once a second for journeys that ran into their limit. Runs in every process; whichever comes first ends them. */
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
    }, SWEEP_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sweeping;
  }

  async #sweep(): Promise<void> {
    for (;;) {
      const { expired, untracked, isMore, failure } = await this.#dependencies.deadlines.endOverdue(BATCH);
      if (expired > 0) this.#dependencies.onExpired(expired);
      untracked.forEach(this.#dependencies.onUntracked);
      if (failure !== undefined) this.#dependencies.onError(failure);
      if (!isMore || failure !== undefined) return;
    }
  }
}
