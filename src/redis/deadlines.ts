import { randomUUID } from 'node:crypto';
import * as keys from './keys.js';
import type { JourneyScripts } from './scripts.js';

export interface DeadlinesDependencies {
  redis: JourneyScripts;
  /** Milliseconds since the epoch instead of Redis' own clock: for tests that move the time. */
  clock?: (() => number) | undefined;
}

/** Ends journeys that ran into their limit. Every process may ask at any time: each journey is ended once. */
export class Deadlines {
  readonly #redis: JourneyScripts;
  readonly #clock: () => string;

  constructor({ redis, clock }: DeadlinesDependencies) {
    this.#redis = redis;
    this.#clock = clock === undefined ? () => '' : () => String(clock());
  }

  /** Ends up to limit overdue journeys. Returns how many were due, and the sessions whose record could not be read. */
  async endOverdue(limit: number): Promise<{ due: number; expired: number; untracked: string[] }> {
    const due = await this.#redis.dueJourneys(keys.DEADLINES_KEY, this.#clock(), limit);
    const words = await Promise.all(due.map((sessionId) => this.#expire(sessionId)));
    return {
      due: due.length,
      expired: words.filter((word) => word === 'expired').length,
      untracked: due.filter((_sessionId, index) => words[index] === 'untracked'),
    };
  }

  async #expire(sessionId: string): Promise<string> {
    const [word] = await this.#redis.expireJourney(
      keys.activeKey(sessionId),
      keys.endedKey(sessionId),
      keys.trackKey(sessionId),
      keys.metaKey(sessionId),
      keys.DEADLINES_KEY,
      keys.OUTBOX_KEY,
      this.#clock(),
      sessionId,
      randomUUID(),
      keys.LOCATION_KEY_PREFIX,
    );
    return word;
  }
}
