import type { Redis } from 'ioredis';
import { StateUnavailableError } from '../journeys/errors.js';
import { changesPrefix, databaseOf } from './keys.js';

export interface ReplicaAcknowledgementDependencies {
  /** The connection of the writes. WAIT blocks it, so updates use another. */
  redis: Redis;
  replicas: number;
  waitMs: number;
}

/** Confirms that the writes of a connection are on enough replicas to survive the loss of the primary. */
export class ReplicaAcknowledgement {
  readonly #dependencies: ReplicaAcknowledgementDependencies;
  #shared: Promise<void> | undefined;

  constructor(dependencies: ReplicaAcknowledgementDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Call it after a write's reply, not in one pipeline with it: a script that Redis does not have is sent again, after
   * the WAIT. Replies of one event-loop turn share a WAIT.
   * @throws StateUnavailableError if too few replicas have the write in time; the write itself remains
   */
  confirm(): Promise<void> {
    // Within this turn, so that the connection cannot have changed to another primary in between.
    this.#shared ??= new Promise((resolve, reject) => {
      setImmediate(() => {
        this.#shared = undefined;
        this.#wait().then(resolve, reject);
      });
    });
    return this.#shared;
  }

  async #wait(): Promise<void> {
    const { redis, replicas, waitMs } = this.#dependencies;
    // WAIT waits only for a connection's own writes, and a replayed answer wrote nothing. Nobody subscribes to this.
    const mark = redis.publish(`${changesPrefix(databaseOf(redis))}acknowledged`, '');
    const [, reached] = await Promise.all([mark, redis.wait(replicas, waitMs)]);
    if (reached < replicas)
      throw new StateUnavailableError('redis', `${reached} of ${replicas} replicas have the write`);
  }
}
