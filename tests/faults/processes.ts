import { setTimeout as pause } from 'node:timers/promises';
import type { LocalService } from '../../src/dev/local-service.js';
import { asModule } from '../support/preloaded.js';
import type { Balancer } from './balancer.js';
import type { Stack } from './stack.js';

/** Of one process, by its own metrics. */
export interface Footprint {
  /** In use, without garbage: the heap, and what is held beside it. */
  megabytes: number;
  openFiles: number;
  /** Sockets, timers and the like, as Node.js counts them. */
  handles: number;
}

const HEALTH_EVERY_MS = 100;

/**
 * For Node's --import. Without load V8 collects when it likes: processes that hold 35 MB were seen with up to 67.
 */
const collectsWhenTold = asModule(`
  import { setFlagsFromString } from 'node:v8';
  import { runInNewContext } from 'node:vm';
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  process.on('SIGWINCH', () => collect());`);

/** The processes of the service behind the balancer. */
export class Processes {
  readonly #stack: Stack;
  readonly #balancer: Balancer;
  #all: LocalService[] = [];

  constructor(stack: Stack, balancer: Balancer) {
    this.#stack = stack;
    this.#balancer = balancer;
  }

  get all(): readonly LocalService[] {
    return this.#all;
  }

  async startOne(nodeArgs: readonly string[] = []): Promise<LocalService> {
    const service = await this.#stack.startService(['--import', collectsWhenTold, ...nodeArgs]);
    this.#all.push(service);
    this.#balancer.add(originOf(service));
    return service;
  }

  /** The oldest. */
  first(): LocalService {
    const [service] = this.#all;
    if (service === undefined) throw new Error('no process is up');
    return service;
  }

  /** A new process in place of the oldest, which ends in order. */
  async firstReplacedBy(nodeArgs: readonly string[]): Promise<LocalService> {
    const service = this.first();
    const replacement = await this.startOne(nodeArgs);
    process.kill(service.process.pid, 'SIGTERM');
    await this.drain(service);
    return replacement;
  }

  /** As a balancer that looks every so often and finds nobody there. */
  async noticeDeath(service: LocalService): Promise<void> {
    await service.process.ended;
    await pause(HEALTH_EVERY_MS);
    await this.#drop(service);
  }

  /** As a balancer that asks whether the process is ready: takes it out, and answers how it ended. */
  async drain(service: LocalService): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    const isReady = async () => {
      const answer = await fetch(`${originOf(service)}/health/ready`);
      await answer.arrayBuffer();
      return answer.ok;
    };
    while (await isReady()) await pause(HEALTH_EVERY_MS);
    this.#balancer.takeOut(originOf(service));
    const end = await service.process.ended;
    await this.#drop(service);
    return end;
  }

  footprints(): Promise<Footprint[]> {
    return Promise.all(this.#all.map(footprintOf));
  }

  async #drop(service: LocalService): Promise<void> {
    this.#all = this.#all.filter((other) => other !== service);
    await this.#balancer.forget(originOf(service));
  }
}

function originOf({ port }: LocalService): string {
  return `http://127.0.0.1:${port}`;
}

async function footprintOf({ process: { pid }, managementPort }: LocalService): Promise<Footprint> {
  const metrics = async () => (await fetch(`http://127.0.0.1:${managementPort}/metrics`)).text();
  process.kill(pid, 'SIGWINCH');
  // The first may be answered in the turn before the signal is heard.
  await metrics();
  const text = await metrics();
  const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN);
  return {
    megabytes: Math.round(
      (value('nodejs_heap_size_used_bytes') + value('nodejs_external_memory_bytes')) / 2 ** 20,
    ),
    openFiles: value('process_open_fds'),
    handles: value('nodejs_active_resources_total'),
  };
}
