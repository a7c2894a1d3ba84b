import { setTimeout as pause } from 'node:timers/promises';

/** The load balancer's health check, as infra/stack/load-balancer.ts sets it. */
export const HEALTH_RULE = { intervalSeconds: 12, timeoutSeconds: 10, failures: 4 };
const PROBE_EVERY_MS = 1_000;

/** Probes /health/live each second, so that the rule is evaluated whenever its checks may begin. */
export class HealthRule {
  readonly probes: { ok: boolean; ms: number }[] = [];
  readonly #pending = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;

  constructor(origin: string) {
    this.#timer = setInterval(() => {
      const probe = this.#probe(`${origin}/health/live`, this.probes.push({ ok: false, ms: 0 }) - 1);
      this.#pending.add(probe);
      void probe.then(() => this.#pending.delete(probe));
    }, PROBE_EVERY_MS);
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#pending);
  }

  /** Whether the load balancer would have had the task replaced. */
  get isBroken(): boolean {
    const { intervalSeconds, failures } = HEALTH_RULE;
    const checksFrom = (first: number) =>
      Array.from({ length: failures }, (_, check) => this.probes[first + check * intervalSeconds]);
    return this.probes.some((_probe, first) => checksFrom(first).every((probe) => probe?.ok === false));
  }

  async #probe(url: string, index: number): Promise<void> {
    const sentAtMs = performance.now();
    const signal = AbortSignal.timeout(HEALTH_RULE.timeoutSeconds * 1_000);
    // A new connection each time, as the load balancer's.
    const ok = await fetch(url, { headers: { connection: 'close' }, signal }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.ok;
      },
      () => false,
    );
    this.probes[index] = { ok, ms: performance.now() - sentAtMs };
  }
}

/** Resolves when the service says that it drains. */
export async function untilDraining(origin: string): Promise<void> {
  const isReady = async () => {
    const response = await fetch(`${origin}/health/ready`);
    await response.arrayBuffer();
    return response.ok;
  };
  while (await isReady()) await pause(100);
}
