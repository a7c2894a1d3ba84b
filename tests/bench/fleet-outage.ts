/**
 * `node --import tsx tests/bench/fleet-outage.ts [--trackers 500] [--seconds 60] [--outage cut|freeze]`: a fleet on the SDK
 * behind a network that fails, and its requests per second before, during and after that. tests/client/fleet.test.ts checks
 * the same rules with a virtual clock.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { JourneyApi, TrainerTracker } from '../../src/client/index.js';
import { runWithStack, serviceFromSource, type SessionRow, type Stack } from '../support/stack.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { wholeNumber } from '../support/whole-number.js';
import { home } from './bench-journeys.js';

interface Options {
  trackers: number;
  seconds: number;
  outage: 'cut' | 'freeze';
}

const START_WITHIN_MS = 5_000;
const SETTLING_MS = 20_000;
const AFTER_MS = 90_000;
/** Towards the home, and near enough for the ordinary update interval. */
const FROM_METERS = 3_500;
const METERS_PER_SECOND = 8;
const METERS_PER_DEGREE = 111_195;

class Fleet {
  readonly statuses = new Map<string, number>();
  readonly trackers: TrainerTracker[] = [];
  readonly #stack: Stack;
  readonly #baseUrl: string;
  readonly #requestedAtMs: number[] = [];
  readonly #startedMs = performance.now();
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(stack: Stack, baseUrl: string) {
    this.#stack = stack;
    this.#baseUrl = baseUrl;
  }

  async start(sessions: readonly SessionRow[]): Promise<void> {
    for (const { sessionId, trainerId } of sessions) {
      const token = await this.#stack.tokens.issue(trainerId, 'trainer');
      const api = new JourneyApi({ baseUrl: this.#baseUrl, getToken: () => token, fetch: this.#fetch });
      const tracker = new TrainerTracker({ api, sessionId });
      this.trackers.push(tracker);
      void tracker.start();
      const push = () => {
        void tracker.push({ coords: this.#place() });
      };
      this.#timers.push(setInterval(push, 1_000));
      await pause(START_WITHIN_MS / sessions.length);
    }
  }

  stop(): void {
    this.#timers.forEach(clearInterval);
    for (const tracker of this.trackers) tracker.close();
  }

  requestsPerSecond(fromMs: number, untilMs: number): number[] {
    const counts = Array.from({ length: Math.floor((untilMs - fromMs) / 1_000) }, () => 0);
    for (const time of this.#requestedAtMs) {
      const second = Math.floor((time - fromMs) / 1_000);
      if (counts[second] !== undefined) counts[second] += 1;
    }
    return counts;
  }

  #place() {
    const meters = FROM_METERS - (METERS_PER_SECOND * (performance.now() - this.#startedMs)) / 1_000;
    const latitude = home.latitude + meters / METERS_PER_DEGREE;
    return { latitude, longitude: home.longitude, accuracy: 8, speed: METERS_PER_SECOND, heading: 180 };
  }

  readonly #fetch: typeof fetch = async (url, init) => {
    this.#requestedAtMs.push(performance.now());
    const count = (what: string) => this.statuses.set(what, (this.statuses.get(what) ?? 0) + 1);
    try {
      const response = await fetch(url, init);
      count(String(response.status));
      return response;
    } catch (error) {
      count('no answer');
      throw error;
    }
  };
}

async function run(stack: Stack, { trackers, seconds, outage }: Options): Promise<number> {
  const sessions = Array.from({ length: trackers }, () => ({
    ...{ sessionId: randomUUID(), trainerId: randomUUID(), studentId: randomUUID() },
    ...{ status: 'scheduled', home },
  }));
  await stack.insertSessions(sessions);
  const { url: redisUrl } = await stack.startRedis();
  const { port } = await stack.startService(serviceFromSource, { redisUrl });
  const network = await startTcpProxy(`http://127.0.0.1:${port}`);
  stack.onStop(() => network.stop());
  const fleet = new Fleet(stack, `http://127.0.0.1:${network.port}`);
  stack.onStop(() => {
    fleet.stop();
  });
  await fleet.start(sessions);
  await pause(SETTLING_MS);
  const failedAtMs = performance.now();
  network[outage]();
  await pause(seconds * 1_000);
  network.heal();
  const healedAtMs = performance.now();
  await pause(AFTER_MS);

  const before = fleet.requestsPerSecond(failedAtMs - 10_000, failedAtMs);
  const after = fleet.requestsPerSecond(healedAtMs, performance.now());
  const line = (name: string, counts: number[]) =>
    `${name.padEnd(8)} peak ${Math.max(...counts)}: ${counts.join(' ')}`;
  const tracking = fleet.trackers.filter(({ state }) => state === 'tracking').length;
  const normal = before.reduce((sum, count) => sum + count, 0) / before.length;
  console.log(
    [
      `${trackers} trackers, network ${outage} for ${seconds} s; requests per second:`,
      line('before', before),
      line('outage', fleet.requestsPerSecond(failedAtMs, healedAtMs)),
      line('after', after),
      `peak after the outage over normal: ${(Math.max(...after) / normal).toFixed(2)}; tracking: ${tracking} of ${trackers}`,
      `answers: ${[...fleet.statuses].map(([what, count]) => `${what}: ${count}`).join(', ')}`,
    ].join('\n'),
  );
  return 0;
}

await new Command('fleet-outage')
  .option('--trackers <n>', 'phones', wholeNumber(1, 10_000), 500)
  .option('--seconds <n>', 'of the outage', wholeNumber(1, 600), 60)
  .addOption(new Option('--outage <kind>').choices(['cut', 'freeze']).default('cut'))
  .action((options: Options) => runWithStack({}, (stack) => run(stack, options)))
  .parseAsync();
