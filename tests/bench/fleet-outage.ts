/**
 * `node --import tsx tests/bench/fleet-outage.ts [--trackers 500] [--seconds 60] [--outage cut|dark]`: a fleet on the SDK
 * through a network that fails between it and the real service, and the requests of each second before, in and after that.
 * Takes three minutes by the clock; the same rules on a virtual one are in tests/client/fleet.test.ts.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { JourneyApi, TrainerTracker } from '../../src/client/index.js';
import { startLocalEventBus } from '../../src/dev/event-bus/local-event-bus.js';
import { programFromSource, startLocalService } from '../../src/dev/local-service.js';
import { startLocalPostgres } from '../../src/dev/servers/local-postgres.js';
import { startLocalRedis } from '../../src/dev/servers/local-redis.js';
import { startReaper } from '../../src/dev/servers/reaper.js';
import { createSchema, insertSessions } from '../../src/dev/session-database.js';
import { onEarth } from '../../src/dev/simulation/plane.js';
import { planSessions, type PlannedSession } from '../../src/dev/simulation/simulated-sessions.js';
import { StopList } from '../../src/dev/stop-list.js';
import { TokenIssuer } from '../../src/dev/tokens.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';

const INTERVAL_MS = 5_000;
const SETTLING_MS = 20_000;
const AFTER_MS = 90_000;
/** Towards the home, and near enough that the service asks for the ordinary cadence. */
const FROM_METERS = 3_500;
const METERS_PER_SECOND = 8;

interface Service {
  network: TcpProxy;
  sessions: PlannedSession[];
  tokens: TokenIssuer;
}

/** The service on a Redis, a Postgres and an event bus of its own, seen through a network that can fail. */
async function startService(trackers: number, toStop: StopList): Promise<Service> {
  const reaper = startReaper();
  const options = { reaper, say: console.error };
  const [redis, postgres] = await Promise.all([startLocalRedis(options), startLocalPostgres(options)]);
  const bus = await startLocalEventBus();
  for (const server of [bus, postgres, redis]) toStop.add(() => server.stop());
  const sessions = planSessions(trackers, Math.random);
  await createSchema(postgres.url);
  await insertSessions(postgres.url, sessions);
  const tokens = new TokenIssuer();
  const service = await startLocalService(
    {
      ...{ preferredPort: 0, preferredManagementPort: 0, corsOrigins: [], program: programFromSource },
      ...{ redisUrl: redis.url, databaseUrl: postgres.url, eventBusUrl: bus.url, jwtSecret: tokens.secret },
    },
    {
      reaper,
      onLogLine: () => undefined,
      token: await tokens.issue(sessions[0]?.trainerId ?? '', 'trainer'),
    },
  );
  toStop.add(() => service.process.stop());
  const network = await startTcpProxy(`http://127.0.0.1:${service.port}`);
  toStop.add(() => network.stop());
  return { network, sessions, tokens };
}

class Fleet {
  readonly requestedAtMs: number[] = [];
  readonly statuses = new Map<string, number>();
  readonly trackers: TrainerTracker[] = [];
  readonly #beganMs = performance.now();
  #timers: NodeJS.Timeout[] = [];

  async start({ network, sessions, tokens }: Service): Promise<void> {
    for (const session of sessions) {
      const token = await tokens.issue(session.trainerId, 'trainer');
      const baseUrl = `http://127.0.0.1:${network.port}`;
      const api = new JourneyApi({ baseUrl, getToken: () => token, fetch: this.#fetch });
      const tracker = new TrainerTracker({ api, sessionId: session.id });
      this.trackers.push(tracker);
      void tracker.start();
      this.#timers.push(
        setInterval(() => {
          tracker.push({ coords: this.#placeOf(session) });
        }, 1_000),
      );
      await pause(INTERVAL_MS / sessions.length);
    }
  }

  stop(): void {
    this.#timers.forEach(clearInterval);
    for (const tracker of this.trackers) tracker.close();
  }

  rates(fromMs: number, untilMs: number): number[] {
    const rates = Array.from({ length: Math.floor((untilMs - fromMs) / 1_000) }, () => 0);
    for (const time of this.requestedAtMs) {
      const second = Math.floor((time - fromMs) / 1_000);
      if (rates[second] !== undefined) rates[second] += 1;
    }
    return rates;
  }

  #placeOf({ home }: PlannedSession) {
    const seconds = (performance.now() - this.#beganMs) / 1_000;
    const place = onEarth(home, { east: 0, north: FROM_METERS - METERS_PER_SECOND * seconds });
    return { ...place, accuracy: 8, speed: METERS_PER_SECOND, heading: 180 };
  }

  readonly #fetch: typeof fetch = async (url, init) => {
    this.requestedAtMs.push(performance.now());
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

async function measure(trackers: number, outageMs: number, outage: string, toStop: StopList): Promise<void> {
  const service = await startService(trackers, toStop);
  const fleet = new Fleet();
  toStop.add(() => {
    fleet.stop();
    return Promise.resolve();
  });
  await fleet.start(service);
  await pause(SETTLING_MS);
  const brokeAtMs = performance.now();
  if (outage === 'cut') service.network.cut();
  else service.network.freeze();
  await pause(outageMs);
  service.network.heal();
  const backAtMs = performance.now();
  await pause(AFTER_MS);

  const before = fleet.rates(brokeAtMs - 10_000, brokeAtMs);
  const after = fleet.rates(backAtMs, performance.now());
  const line = (name: string, rates: number[]) =>
    `${name.padEnd(8)} peak ${Math.max(...rates)}: ${rates.join(' ')}`;
  const tracking = fleet.trackers.filter(({ state }) => state === 'tracking').length;
  const normal = before.reduce((sum, rate) => sum + rate, 0) / before.length;
  console.log(
    [
      `${trackers} trackers, the network ${outage} for ${outageMs / 1_000} s; requests a second:`,
      line('before', before),
      line('outage', fleet.rates(brokeAtMs, backAtMs)),
      line('after', after),
      `highest after over normal: ${(Math.max(...after) / normal).toFixed(2)}; tracking again: ${tracking} of ${trackers}`,
      `answers: ${[...fleet.statuses].map(([what, count]) => `${what}: ${count}`).join(', ')}`,
    ].join('\n'),
  );
}

const { values } = parseArgs({
  options: {
    trackers: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '60' },
    outage: { type: 'string', default: 'cut' },
  },
});
const toStop = new StopList(console.error);
try {
  await measure(Number(values.trackers), Number(values.seconds) * 1_000, values.outage, toStop);
} finally {
  await toStop.stopAll();
  process.exit();
}
