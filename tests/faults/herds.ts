/** `npm run test:herds`: see --help. */
import { setTimeout as pause } from 'node:timers/promises';
import { Argument, Command } from 'commander';
import { markdownTable } from '../support/markdown-table.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { builtService, runWithStack, say, type ServiceProcess, type Stack } from '../support/stack.js';
import { wholeNumber } from '../support/whole-number.js';
import { Balancer } from './balancer.js';
import { HEALTH_RULE, HealthRule, untilDraining } from './health-rule.js';
import { HerdPhones, type Second } from './herd-phones.js';

const TASKS = 2;
const OUTAGE_MS = 10_000;
const DRAIN_MS = 1_500;
const SETTLING_MS = 20_000;
const AFTER_MS = 60_000;
const SERVED_WITHIN_MS = 20_000;
/** Of the ordinary requests per second. */
const MOST_AT_ONCE = 2;

interface Task {
  service: ServiceProcess;
  origin: string;
  health: HealthRule;
}

class Herd {
  readonly balancer = new Balancer();
  readonly phones = new HerdPhones(this.balancer);
  readonly health: HealthRule[] = [];
  readonly redis: PrivateRedis;
  readonly #stack: Stack;
  #tasks: Task[] = [];

  constructor(stack: Stack, redis: PrivateRedis) {
    this.#stack = stack;
    this.redis = redis;
  }

  async startTask(): Promise<void> {
    const urls = { redisUrl: this.redis.url };
    const settings = { SHUTDOWN_DELAY_MS: String(DRAIN_MS) };
    const service = await this.#stack.startService(builtService(), urls, settings);
    const origin = `http://127.0.0.1:${service.port}`;
    const health = new HealthRule(origin);
    this.health.push(health);
    this.#tasks.push({ service, origin, health });
    this.balancer.add(origin);
  }

  /** One new task after the other takes the place of an old one. */
  async deploy(): Promise<void> {
    for (const { service, origin, health } of [...this.#tasks]) {
      await this.startTask();
      await health.end();
      process.kill(service.pid, 'SIGTERM');
      await untilDraining(origin);
      this.balancer.takeOut(origin);
      const { code } = await service.ended;
      await this.balancer.remove(origin);
      if (code !== 0) throw new Error(`a task ended with ${code} after SIGTERM`);
    }
  }
}

/** What happens to the tasks; resolves when it is over. */
const troubles: Record<string, (herd: Herd) => Promise<void>> = {
  redis: async ({ redis }) => {
    await redis.kill();
    await pause(OUTAGE_MS);
    await redis.startAgain({ withData: true });
  },
  frozenRedis: async ({ redis }) => {
    redis.freeze();
    await pause(OUTAGE_MS);
    redis.thaw();
  },
  deployment: (herd) => herd.deploy(),
};

async function run(stack: Stack, trouble: string, phoneCount: number): Promise<number> {
  const redis = await startPrivateRedis();
  stack.onStop(() => redis.stop());
  const herd = new Herd(stack, redis);
  const { phones } = herd;
  for (let task = 0; task < TASKS; task++) await herd.startTask();
  stack.onStop(() => {
    phones.stop();
  });
  await phones.start(stack, phoneCount);
  await pause(SETTLING_MS);
  const beganMs = performance.now();
  say(`${trouble} begins`);
  await troubles[trouble]?.(herd);
  const overMs = performance.now();
  say(`${trouble} is over`);
  let servedAfterMs = NaN;
  while (performance.now() < overMs + AFTER_MS) {
    if (Number.isNaN(servedAfterMs) && phones.unserved(overMs) === 0)
      servedAfterMs = performance.now() - overMs;
    await pause(100);
  }
  await Promise.all(herd.health.map((health) => health.end()));
  return report(herd, { beganMs, overMs, servedAfterMs });
}

function report(
  { phones, health }: Herd,
  times: { beganMs: number; overMs: number; servedAfterMs: number },
): number {
  const [began, over] = [phones.secondOf(times.beganMs), phones.secondOf(times.overMs)];
  const before = phones.seconds.slice(began - 10, began);
  const ordinary = before.reduce((sum, { requests }) => sum + requests, 0) / before.length;
  const peak = (seconds: readonly Second[]) =>
    Math.max(...seconds.map(({ requests }) => requests)) / ordinary;
  const served = over + Math.ceil(SERVED_WITHIN_MS / 1_000);
  const slowest = Math.max(...health.flatMap(({ probes }) => probes.map(({ ms }) => ms)));
  const [atFirst = NaN, later = NaN] = [
    phones.seconds.slice(over + 1, served),
    phones.seconds.slice(served, -1),
  ].map(peak);
  const verdicts: [string, boolean][] = [
    [
      `all phones are served again after ${(times.servedAfterMs / 1_000).toFixed(1)} s`,
      times.servedAfterMs <= SERVED_WITHIN_MS,
    ],
    [
      `in these ${SERVED_WITHIN_MS / 1_000} s at most ${atFirst.toFixed(2)} of the ordinary requests per second`,
      atFirst <= MOST_AT_ONCE,
    ],
    [`later at most ${later.toFixed(2)}`, later <= MOST_AT_ONCE],
    [
      `no task fails ${HEALTH_RULE.failures} health checks of ${HEALTH_RULE.timeoutSeconds} s; the slowest took ${slowest.toFixed(0)} ms`,
      health.every(({ isBroken }) => !isBroken),
    ],
  ];
  console.log(
    [
      markdownTable(timeline(phones.seconds.slice(began - 10), 10, over - began)),
      `ordinary: ${ordinary.toFixed(0)} requests per second; answers: ${JSON.stringify(Object.fromEntries(phones.statuses))}`,
      ...verdicts.map(([what, holds]) => `${holds ? 'holds ' : 'FAILED'}  ${what}`),
    ].join('\n'),
  );
  return verdicts.every(([, holds]) => holds) ? 0 : 1;
}

function timeline(seconds: readonly Second[], began: number, lasted: number): Record<string, string>[] {
  return seconds.map(({ requests, served, refused, unanswered }, second) => ({
    second: String(second - began),
    when: second < began ? 'before' : second <= began + lasted ? 'trouble' : 'after',
    ...{ requests: String(requests), served: String(served) },
    ...{ refused: String(refused), unanswered: String(unanswered) },
  }));
}

await new Command('npm run test:herds --')
  .description(
    'Many phones on the SDK and two tasks of the built service: who is served when after an outage of Redis or a deployment. ' +
      'The exit code is 1 where something did not hold. Takes about three minutes.',
  )
  .addArgument(new Argument('<trouble>').choices(Object.keys(troubles)))
  .option('--phones <n>', 'half of trainers, half of students', wholeNumber(2, 12_000), 10_000)
  .action((trouble: string, { phones }: { phones: number }) =>
    runWithStack({}, (stack) => run(stack, trouble, phones)),
  )
  .parseAsync();
