import type { Joined } from './joining.js';
import type { JourneyApi } from './journey-api.js';
import { journeyLimit, type JourneyLimit } from './journey-limit.js';
import { PositionSender } from './position-sender.js';
import type { StartAttempt } from './start-attempt.js';
import type { SenderOptions } from './update.js';

/** What a tracker has from a start to an end. */
export class TrackerRun {
  readonly sender: PositionSender;
  /** Aborts all calls. */
  readonly over = new AbortController();
  attempt?: StartAttempt;
  /** The journey has begun; only then it can end. */
  hasBegun = false;
  readonly #api: JourneyApi;
  readonly #limit: JourneyLimit;
  #expiresAt = '';
  #stopListening: (() => void) | undefined;

  constructor(options: SenderOptions, limitReached: () => void) {
    this.#api = options.api;
    this.sender = new PositionSender(options);
    this.#limit = journeyLimit(options.api.clock, limitReached);
  }

  begin({ expiresAt, serverTime, lastSequence }: Joined): void {
    this.hasBegun = true;
    this.#expiresAt = expiresAt;
    this.seenTime(serverTime);
    this.#stopListening = this.#api.whenOnline(() => {
      this.sender.backOnline();
    });
    this.sender.begin(lastSequence);
  }

  /** By the service's clock; a joined journey can only end earlier. */
  seenTime(serverTime: string): void {
    this.#limit.update(this.#expiresAt, serverTime);
  }

  end(): void {
    this.sender.abort();
    this.#stopListening?.();
    this.#limit.cancel();
    this.over.abort();
    this.attempt?.giveUp();
  }
}
