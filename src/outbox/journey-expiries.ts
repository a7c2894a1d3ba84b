import { randomUUID } from 'node:crypto';
import type { Keys } from '../store/keys.js';
import type { Partitions } from '../store/partitions.js';
import type { JourneyScripts } from '../store/scripts.js';

export interface JourneyExpiriesDependencies {
  redis: JourneyScripts;
  partitions: Partitions;
  /** Milliseconds since the epoch instead of Redis' own clock: for tests that move the time. */
  clock?: (() => number) | undefined;
}

export interface EndedOverdue {
  expired: number;
  /** Sessions whose record could not be read. */
  untracked: string[];
  /** There may be more of them by now. */
  isMore: boolean;
  /** Why a part of the deadlines could not be looked at, where that is so. */
  failure: unknown;
}

/** Ends journeys that ran into their limit. Every process may ask at any time: each journey is ended once. */
export class JourneyExpiries {
  readonly #redis: JourneyScripts;
  readonly #partitions: Partitions;
  readonly #clock: () => string;

  constructor({ redis, partitions, clock }: JourneyExpiriesDependencies) {
    this.#redis = redis;
    this.#partitions = partitions;
    this.#clock = clock === undefined ? () => '' : () => String(clock());
  }

  /** Ends up to limit overdue journeys of each partition. */
  async endOverdue(limit: number): Promise<EndedOverdue> {
    const ended: EndedOverdue = { expired: 0, untracked: [], isMore: false, failure: undefined };
    // A primary that is away keeps its own partitions' journeys waiting, and no others.
    await Promise.all(
      this.#partitions.all.map((keys) =>
        this.#endIn(keys, limit, ended).catch((error: unknown) => {
          ended.failure = error;
        }),
      ),
    );
    return ended;
  }

  async #endIn(keys: Keys, limit: number, ended: EndedOverdue): Promise<void> {
    const due = await this.#redis.dueJourneys(keys.expiries, this.#clock(), limit);
    if (due.length === limit) ended.isMore = true;
    const words = await Promise.all(due.map((sessionId) => this.#expire(keys, sessionId)));
    ended.expired += words.filter((word) => word === 'expired').length;
    ended.untracked.push(...due.filter((_sessionId, index) => words[index] === 'untracked'));
  }

  async #expire(keys: Keys, sessionId: string): Promise<string> {
    const [word] = await this.#redis.expireJourney(
      ...keys.lifecycle(sessionId),
      this.#clock(),
      sessionId,
      randomUUID(),
      keys.locationPrefix,
    );
    return word;
  }
}
