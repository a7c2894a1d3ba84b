import type { Redis } from 'ioredis';
import { StateUnavailableError } from '../journeys/errors.js';

/** Told before each WAIT, for its effect alone: nobody listens. */
const MARK_CHANNEL = 'journey:acknowledged';

export interface ReplicaAcknowledgementDependencies {
  /** The connection of the writes: WAIT keeps it from anything else meanwhile, so updates have another. */
  redis: Redis;
  replicas: number;
  waitMs: number;
}

/** Says when what was written on a connection has reached enough replicas to outlive the primary. */
export class ReplicaAcknowledgement {
  readonly #dependencies: ReplicaAcknowledgementDependencies;
  #shared: Promise<void> | undefined;

  constructor(dependencies: ReplicaAcknowledgementDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Has to be asked as soon as a write is answered, not sent behind it: a script that Redis has forgotten is sent again,
   * and would come after the WAIT. Answers of the same turn share one.
   * @throws StateUnavailableError where fewer replicas have it in time; the write itself stays
   */
  confirm(): Promise<void> {
    // Before the end of this turn, so that no other connection, of another primary, can have come in between.
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
    // A first answer that is given again wrote nothing, and WAIT waits for a connection's own writes alone.
    const [, reached] = await Promise.all([redis.publish(MARK_CHANNEL, ''), redis.wait(replicas, waitMs)]);
    if (reached < replicas)
      throw new StateUnavailableError('redis', `${reached} of ${replicas} replicas have the write`);
  }
}
