import { setTimeout as pause } from 'node:timers/promises';
import { asModule } from '../support/preloaded.js';
import type { ServiceProcess } from '../support/stack.js';
import type { Balancer } from './balancer.js';
import type { FaultStack } from './fault-stack.js';

/** Of one process, by its own metrics. */
export interface Footprint {
  /** The heap in use after a garbage collection, and external memory. */
  megabytes: number;
  openFiles: number;
  /** Sockets, timers and the like. */
  handles: number;
}

const HEALTH_EVERY_MS = 100;

/** For Node's --import: a garbage collection on SIGWINCH. An idle process may not collect for a long time. */
const collectOnSignal = asModule(`
  import { setFlagsFromString } from 'node:v8';
  import { runInNewContext } from 'node:vm';
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  process.on('SIGWINCH', () => collect());`);

/** The processes of the service behind the balancer. */
export class Processes {
  readonly #stack: FaultStack;
  readonly #balancer: Balancer;
  all: ServiceProcess[] = [];

  constructor(stack: FaultStack, balancer: Balancer) {
    this.#stack = stack;
    this.#balancer = balancer;
  }

  async startOne(nodeArgs: readonly string[] = []): Promise<ServiceProcess> {
    const service = await this.#stack.startService(['--import', collectOnSignal, ...nodeArgs]);
    this.all.push(service);
    this.#balancer.add(originOf(service));
    return service;
  }

  /** The oldest. */
  first(): ServiceProcess {
    const [service] = this.all;
    if (service === undefined) throw new Error('no process is running');
    return service;
  }

  /** Starts a process in place of the oldest, which is stopped. */
  async replaceFirst(nodeArgs: readonly string[]): Promise<ServiceProcess> {
    const service = this.first();
    const replacement = await this.startOne(nodeArgs);
    process.kill(service.pid, 'SIGTERM');
    await this.drain(service);
    return replacement;
  }

  /** The balancer notices a dead process at its next health check. */
  async noticeDeath(service: ServiceProcess): Promise<void> {
    await service.ended;
    await pause(HEALTH_EVERY_MS);
    await this.#remove(service);
  }

  /** The balancer takes a process out when it is not ready any more. */
  async drain(service: ServiceProcess): ServiceProcess['ended'] {
    const isReady = async () => {
      const answer = await fetch(`${originOf(service)}/health/ready`);
      await answer.arrayBuffer();
      return answer.ok;
    };
    while (await isReady()) await pause(HEALTH_EVERY_MS);
    this.#balancer.takeOut(originOf(service));
    const end = await service.ended;
    await this.#remove(service);
    return end;
  }

  footprints(): Promise<Footprint[]> {
    return Promise.all(this.all.map(footprintOf));
  }

  async #remove(service: ServiceProcess): Promise<void> {
    this.all = this.all.filter((other) => other !== service);
    await this.#balancer.remove(originOf(service));
  }
}

function originOf({ port }: ServiceProcess): string {
  return `http://127.0.0.1:${port}`;
}

async function footprintOf({ pid, managementPort }: ServiceProcess): Promise<Footprint> {
  const metrics = async () => (await fetch(`http://127.0.0.1:${managementPort}/metrics`)).text();
  process.kill(pid, 'SIGWINCH');
  // The first request may be handled before the signal.
  await metrics();
  const text = await metrics();
  const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN);
  const bytes = value('nodejs_heap_size_used_bytes') + value('nodejs_external_memory_bytes');
  return {
    megabytes: Math.round(bytes / 1e6),
    openFiles: value('process_open_fds'),
    handles: value('nodejs_active_resources_total'),
  };
}
