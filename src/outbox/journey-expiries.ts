import { randomUUID } from 'node:crypto';
import type { Keys } from '../store/keys.js';
import type { Partitions } from '../store/partitions.js';
import type { JourneyScripts } from '../store/scripts.js';

export interface EndedOverdue {
  expired: number;
  /** Sessions whose record could not be read. */
  untracked: string[];
  isMore: boolean;
  /** The last error of a partition that could not be read. */
  failure: unknown;
}

/** The sorted sets of active journeys by expiry, one per partition. */
export class JourneyExpiries {
  readonly #redis: JourneyScripts;
  readonly #partitions: Partitions;
  readonly #clock: () => string;

  /** clock: milliseconds since the epoch; default: Redis' clock. */
  constructor(dependencies: {
    redis: JourneyScripts;
    partitions: Partitions;
    clock?: (() => number) | undefined;
  }) {
    const { redis, partitions, clock } = dependencies;
    this.#redis = redis;
    this.#partitions = partitions;
    this.#clock = clock === undefined ? () => '' : () => String(clock());
  }

  /** Ends up to limit overdue journeys of each partition. Safe to call from several processes at once. */
  async endOverdue(limit: number): Promise<EndedOverdue> {
    const ended: EndedOverdue = { expired: 0, untracked: [], isMore: false, failure: undefined };
    // An unavailable primary delays only its own partitions.
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
    const prefixes = [keys.active(''), keys.track('')];
    const due = await this.#redis.dueJourneys(keys.expiries, this.#clock(), limit, ...prefixes);
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
