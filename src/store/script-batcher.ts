import { withTimeout } from '../journeys/errors.js';
import { asFailure } from './connection.js';
import type { Keys } from './keys.js';
import type { CallParts } from './script-arguments.js';
import type { ScriptReply } from './scripts.js';

/** Redis serves nobody else while a script runs. */
const BATCH_SIZE = 32;

export interface ScriptBatcherDependencies {
  /** Runs the script for a batch of one partition. */
  send: (parts: CallParts, keys: Keys) => Promise<ScriptReply[]>;
  timeoutMs: number;
  observe: (seconds: number, succeeded: boolean) => void;
}

interface Batch extends CallParts {
  callers: { key: string; resolve: (reply: ScriptReply) => void; reject: (error: Error) => void }[];
}

/** Batches the calls of one event-loop turn into one call of a script, which answers each item separately. */
export class ScriptBatcher {
  readonly #dependencies: ScriptBatcherDependencies;
  readonly #open = new Map<Keys, Batch>();

  constructor(dependencies: ScriptBatcherDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * key: named in the error where a stored value cannot be read.
   * @throws StateUnavailableError, CorruptStateError
   */
  call(partition: Keys, key: string, { keys, args }: CallParts): Promise<ScriptReply> {
    return new Promise((resolve, reject) => {
      const batch = this.#openBatch(partition);
      batch.keys.push(...keys);
      batch.args.push(...args);
      batch.callers.push({ key, resolve, reject });
      if (batch.callers.length === BATCH_SIZE) void this.#send(partition, batch);
    });
  }

  #openBatch(partition: Keys): Batch {
    const open = this.#open.get(partition);
    if (open !== undefined) return open;
    const batch: Batch = { keys: [], args: [], callers: [] };
    this.#open.set(partition, batch);
    // Runs after all input of this turn has been read.
    setImmediate(() => {
      if (this.#open.get(partition) === batch) void this.#send(partition, batch);
    });
    return batch;
  }

  async #send(partition: Keys, batch: Batch): Promise<void> {
    this.#open.delete(partition);
    const { send, timeoutMs, observe } = this.#dependencies;
    const startedAtMs = performance.now();
    const settled = (succeeded: boolean) => {
      observe((performance.now() - startedAtMs) / 1000, succeeded);
    };
    try {
      const replies = await withTimeout(timeoutMs, 'redis', send(batch, partition));
      settled(true);
      answer(batch, replies);
    } catch (error) {
      settled(false);
      for (const { key, reject } of batch.callers) reject(asFailure(error, key));
    }
  }
}

function answer({ callers }: Batch, replies: ScriptReply[]): void {
  for (const [index, { key, resolve, reject }] of callers.entries()) {
    const reply = replies[index] ?? ['none'];
    if (reply[0] === 'failed') reject(asFailure(scriptError(String(reply[1])), key));
    else resolve(reply);
  }
}

/** As ioredis reports an error reply. */
function scriptError(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' });
}
