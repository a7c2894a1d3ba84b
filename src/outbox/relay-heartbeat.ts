import { DEAD_AFTER_MS } from './event-stream.js';
import type { Outbox } from './outbox.js';

const INTERVAL_MS = 1_000;

/**
 * Shows the other processes that this one lives, whatever its relay waits for, and claims the entries of those that have
 * died. It claims nothing until its own heartbeats have succeeded for as long as a process may miss them: after an outage
 * of Redis the others need time to return.
 */
export class RelayHeartbeat {
  readonly #outbox: Outbox;
  readonly #onClaimed: () => void;
  #timer: NodeJS.Timeout | undefined;
  #steadySinceMs = Infinity;
  #isInFlight = false;

  constructor(dependencies: { outbox: Outbox; onClaimed: () => void }) {
    this.#outbox = dependencies.outbox;
    this.#onClaimed = dependencies.onClaimed;
  }

  start(): void {
    void this.#beat();
    this.#timer = setInterval(() => void this.#beat(), INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #beat(): Promise<void> {
    if (this.#isInFlight) return;
    this.#isInFlight = true;
    try {
      const mayClaim = performance.now() - this.#steadySinceMs > DEAD_AFTER_MS;
      const claimed = await this.#outbox.heartbeat(mayClaim);
      if (claimed < 0) this.#steadySinceMs = performance.now();
      else this.#steadySinceMs = Math.min(this.#steadySinceMs, performance.now());
      if (claimed > 0) this.#onClaimed();
    } catch {
      // The relay reports the outage.
      this.#steadySinceMs = Infinity;
    } finally {
      this.#isInFlight = false;
    }
  }
}
