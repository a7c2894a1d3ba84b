import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Reaper } from '../../src/dev/servers/reaper.js';
import { FIRST_SEQUENCE } from './load/journey-requests.js';
import type { LoadMessage, LoadResult, Order } from './load/orders.js';

/**
 * A pause of the load is a delay of what it measures: on the core that it shares with Redis it collects in short pauses,
 * and what was promoted only when all is over. With V8's own ways the p95 of 20,000 waiting students' trainers was twice
 * as long.
 */
const NO_LONG_PAUSES = [
  ...['--no-parallel-scavenge', '--max-semi-space-size=16'],
  ...['--initial-heap-size=3000', '--max-old-space-size=6000'],
];

type WithoutSequence<T> = T extends { firstSequence: number } ? Omit<T, 'firstSequence'> : T;

/** The process that sends the requests; one order at a time. */
export class LoadProcess {
  readonly #child: ChildProcess;
  #sequence = FIRST_SEQUENCE;
  #prepared = 0;

  constructor(node: string, reaper: Reaper) {
    this.#child = fork(join(import.meta.dirname, 'load/main.ts'), {
      execPath: node,
      execArgv: [...NO_LONG_PAUSES, '--import', 'tsx'],
    });
    if (this.#child.pid !== undefined)
      reaper.watch({ kind: 'process', pid: this.#child.pid, signal: 'SIGKILL' });
  }

  /** The tokens and requests of so many journeys. */
  async prepare(journeys: number): Promise<void> {
    if (journeys <= this.#prepared) return;
    this.#prepared = journeys;
    await this.run({ kind: 'prepare', journeys });
  }

  /** @throws where the load itself failed; answers that were not as they should be are in the result */
  async run(order: WithoutSequence<Order>, onMeasuring: () => void = () => undefined): Promise<LoadResult> {
    const result = await this.#carryOut(
      { ...order, firstSequence: this.#sequence + 1 } as Order,
      onMeasuring,
    );
    this.#sequence = Math.max(this.#sequence, result.lastSequence);
    return result;
  }

  stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    return Promise.resolve();
  }

  #carryOut(order: Order, onMeasuring: () => void): Promise<LoadResult> {
    return new Promise((resolve, reject) => {
      const ended = () => {
        reject(new Error('the load has stopped'));
      };
      const onMessage = (message: LoadMessage) => {
        if (message === 'measuring') {
          onMeasuring();
          return;
        }
        this.#child.off('message', onMessage);
        this.#child.off('exit', ended);
        if ('result' in message) resolve(message.result);
        else reject(new Error(`the load failed: ${message.failure}`));
      };
      this.#child.on('message', onMessage);
      this.#child.once('exit', ended);
      this.#child.send(order);
    });
  }
}
