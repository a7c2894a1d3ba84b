import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Stack } from '../support/stack.js';
import type { LoadMessage, LoadOrder, LoadResult, Order } from './load/orders.js';

/** A pause of the load for a garbage collection would count as a delay of the service. */
const FLAGS = ['--max-semi-space-size=64', '--initial-heap-size=2000', '--import', 'tsx'];

/** The process that sends the requests. */
export class LoadProcess {
  readonly #child: ChildProcess;

  private constructor(node: string) {
    this.#child = fork(join(import.meta.dirname, 'load/main.ts'), { execPath: node, execArgv: FLAGS });
  }

  /** With the tokens and requests of so many journeys. */
  static async start(stack: Stack, node: string, journeys: number): Promise<LoadProcess> {
    const load = new LoadProcess(node);
    stack.onStop(() => load.#child.kill('SIGKILL'));
    await load.#carryOut({ kind: 'prepare', journeys }, () => undefined);
    return load;
  }

  /** @throws where the load itself fails; unexpected answers are in the result */
  run(order: LoadOrder, onMeasuring: () => void = () => undefined): Promise<LoadResult> {
    return this.#carryOut(order, onMeasuring);
  }

  #carryOut(order: Order, onMeasuring: () => void): Promise<LoadResult> {
    return new Promise((resolve, reject) => {
      const onExit = () => {
        reject(new Error('the load process has ended'));
      };
      const onMessage = (message: LoadMessage) => {
        if (message === 'measuring') {
          onMeasuring();
          return;
        }
        this.#child.off('message', onMessage);
        this.#child.off('exit', onExit);
        if ('result' in message) resolve(message.result);
        else reject(new Error(`the load failed: ${message.failure}`));
      };
      this.#child.on('message', onMessage);
      this.#child.once('exit', onExit);
      this.#child.send(order);
    });
  }
}
