import { StateUnavailableError } from './errors.js';
import { afterLimit } from './time-limit.js';

/** Calls of the same few hundredths of a second share a timer. */
const BUCKET_MS = 20;

interface Bucket {
  closesAtMs: number;
  waiting: Set<(error: StateUnavailableError) => void>;
}

/**
 * One time limit for many calls a second: a timer a bucket of calls instead of one a call, which was a tenth of what an
 * update costs. A call fails at the limit or up to BUCKET_MS after it.
 */
export class Deadline {
  readonly #limitMs: number;
  readonly #dependency: StateUnavailableError['dependency'];
  #bucket: Bucket | undefined;

  constructor(limitMs: number, dependency: StateUnavailableError['dependency']) {
    this.#limitMs = limitMs;
    this.#dependency = dependency;
  }

  /**
   * Settles as the work does, or fails at the limit. The work itself goes on; whoever waits for it does not.
   * @throws StateUnavailableError
   */
  hold<T>(work: Promise<T>): Promise<T> {
    const { waiting } = this.#currentBucket();
    return new Promise((resolve, reject) => {
      waiting.add(reject);
      work.then(
        (value) => {
          waiting.delete(reject);
          resolve(value);
        },
        (error: unknown) => {
          waiting.delete(reject);
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }

  #currentBucket(): Bucket {
    const nowMs = performance.now();
    if (this.#bucket !== undefined && nowMs < this.#bucket.closesAtMs) return this.#bucket;
    const bucket: Bucket = { closesAtMs: nowMs + BUCKET_MS, waiting: new Set() };
    this.#bucket = bucket;
    afterLimit(this.#limitMs + BUCKET_MS, () => {
      for (const reject of bucket.waiting) {
        reject(new StateUnavailableError(this.#dependency, `no answer within ${this.#limitMs} ms`));
      }
    });
    return bucket;
  }
}
