import type { Deadline } from '../journeys/deadline.js';
import { asFailure } from './connection.js';
import type { CallParts } from './script-arguments.js';
import type { ScriptReply } from './scripts.js';

/** Redis does nothing else meanwhile: of positions, at 30 µs each, a millisecond. */
const MOST_TOGETHER = 32;

export interface ScriptBatcherDependencies {
  /** Runs the script for all items of a batch; their keys have the tag in common, see partitions.ts. */
  send: (parts: CallParts, tag: string) => Promise<ScriptReply[]>;
  deadline: Deadline;
  observe: (seconds: number, succeeded: boolean) => void;
}

interface Batch extends CallParts {
  waiting: { key: string; resolve: (reply: ScriptReply) => void; reject: (error: Error) => void }[];
}

/**
 * What comes in during one turn of the event loop goes to Redis as one call of a script, which answers each item by
 * itself. The more there is to do, the less each costs; one that comes alone waits for nobody.
 */
export class ScriptBatcher {
  readonly #dependencies: ScriptBatcherDependencies;
  /** By tag; null: nothing has come in since the last was sent. A map that is emptied makes a new table each time. */
  readonly #open = new Map<string, Batch | null>();
  #underWay = 0;

  constructor(dependencies: ScriptBatcherDependencies) {
    this.#dependencies = dependencies;
  }

  /** Items that have no answer yet. */
  get underWay(): number {
    return this.#underWay;
  }

  /**
   * key: named where a value in Redis cannot be read.
   * @throws StateUnavailableError, CorruptStateError
   */
  call(tag: string, key: string, { keys, args }: CallParts): Promise<ScriptReply> {
    this.#underWay++;
    return new Promise((resolve, reject) => {
      const batch = this.#openBatch(tag);
      batch.keys.push(...keys);
      batch.args.push(...args);
      batch.waiting.push({ key, resolve, reject });
      if (batch.waiting.length === MOST_TOGETHER) this.#send(tag, batch);
    });
  }

  #openBatch(tag: string): Batch {
    const open = this.#open.get(tag);
    if (open) return open;
    const batch: Batch = { keys: [], args: [], waiting: [] };
    this.#open.set(tag, batch);
    // Runs when all that has come in was looked at; what was full before has gone by then.
    setImmediate(() => {
      if (this.#open.get(tag) === batch) this.#send(tag, batch);
    });
    return batch;
  }

  #send(tag: string, batch: Batch): void {
    this.#open.set(tag, null);
    const { send, deadline, observe } = this.#dependencies;
    const startedAtMs = performance.now();
    const isOver = (succeeded: boolean) => {
      this.#underWay -= batch.waiting.length;
      observe((performance.now() - startedAtMs) / 1000, succeeded);
    };
    deadline.hold(send(batch, tag)).then(
      (replies) => {
        isOver(true);
        answer(batch, replies);
      },
      (error: unknown) => {
        isOver(false);
        for (const { key, reject } of batch.waiting) reject(asFailure(error, key));
      },
    );
  }
}

function answer({ waiting }: Batch, replies: ScriptReply[]): void {
  for (const [index, { key, resolve, reject }] of waiting.entries()) {
    const reply = replies[index] ?? ['none'];
    if (reply[0] === 'failed') reject(asFailure(scriptError(String(reply[1])), key));
    else resolve(reply);
  }
}

/** As ioredis makes one of what Redis says. */
function scriptError(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' });
}
