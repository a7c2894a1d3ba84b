import { setTimeout as sleep } from 'node:timers/promises';
import { OUTBOX_KEY } from '../../../src/store/keys.js';
import type { Bench } from '../bench.js';
import { home, journeyAt, tokens, type BenchJourney } from '../bench-journeys.js';
import type { Contender } from '../contender-process.js';
import { ours } from '../contenders/registry.js';
import type { Bar } from '../report/bar.js';
import type { PartReport } from '../report/part-report.js';

const SESSIONS = 20;
/** Until what Redis and Postgres were asked is known here. */
const SETTLE_MS = 30;
const QUERIES = /^postgres_query_duration_seconds_count\{[^}]*\} (\d+)/gm;

interface Trips {
  redis: number[];
  postgres: number[];
}

/** Sessions that have a row and no journey, after those of the journeys. */
export const spareSessions = 2 * SESSIONS;

/** How often a call asks Redis and Postgres, by what Redis' MONITOR shows and the service counts. */
export async function countRoundTrips(bench: Bench): Promise<PartReport> {
  const redis = await bench.sharedRedis();
  // Before the service: ioredis' monitor fails where another command comes in just as it begins.
  const monitor = await redis.connection.monitor();
  const commands: string[][] = [];
  monitor.on('monitor', (_time: string, args: string[], source: string) => {
    // What a script does is no trip.
    if (source !== 'lua') commands.push(args);
  });
  const service = await bench.start(ours, redis, {});
  const trips = new Map<string, Trips>();
  const caller = new Caller(service);
  const count = async (name: string, journey: BenchJourney, call: () => Promise<void>) => {
    await sleep(SETTLE_MS);
    commands.length = 0;
    const queriesBefore = await caller.queries();
    await call();
    await sleep(SETTLE_MS);
    const ids = Object.values(journey) as string[];
    const isAbout = (args: string[]) => args.some((argument) => ids.some((id) => argument.includes(id)));
    const counted = trips.get(name) ?? { redis: [], postgres: [] };
    counted.redis.push(commands.filter(isAbout).length);
    counted.postgres.push((await caller.queries()) - queriesBefore);
    trips.set(name, counted);
  };
  bench.say('round trips of each call');
  for (let index = 0; index < spareSessions; index++) {
    const journey = journeyAt(bench.options.journeys + index);
    const isArriving = index < SESSIONS;
    await count('start', journey, () => caller.start(journey));
    if (isArriving) {
      await count('update', journey, () => caller.update(journey));
      await count('live', journey, () => caller.live(journey));
    }
    const end = isArriving ? 'arrived' : 'stop';
    await count(end, journey, () => caller.end(journey, isArriving ? 'arrived' : 'stop-journey'));
  }
  monitor.disconnect();
  await service.stop();
  await redis.connection.del(OUTBOX_KEY);
  return {
    title: 'Round trips of a call',
    rows: [...trips].map(([call, { redis, postgres }]) => ({
      call,
      'to Redis': range(redis),
      'to Postgres': range(postgres),
    })),
    bars: [...trips].map(([call, counted]) => barOf(call, counted)),
    notes: [
      `Of ${SESSIONS} calls each. To Redis: what the service sends that names the session, its trainer or its student; what a script does inside is none. To Postgres: the service's own count of queries.`,
    ],
  };
}

function barOf(call: string, { redis, postgres }: Trips): Bar {
  const queries = call === 'start' ? 1 : 0;
  const isKept = redis.every((trips) => trips === 1) && postgres.every((count) => count === queries);
  const words = (trips: string, count: string) => `${trips} to Redis, ${count} to Postgres`;
  return {
    what: `${call}: round trips`,
    limit: words('1', String(queries)),
    figure: words(range(redis), range(postgres)),
    verdict: isKept ? 'ok' : 'MISSED',
  };
}

function range(counts: number[]): string {
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? String(least) : `${least}–${most}`;
}

/** The five calls, as the apps make them. */
class Caller {
  readonly #service: Contender;

  constructor(service: Contender) {
    this.#service = service;
  }

  start({ sessionId, trainerId }: BenchJourney): Promise<void> {
    return this.#call(201, `/sessions/${sessionId}/start-journey`, trainerId, {});
  }

  update({ sessionId, trainerId }: BenchJourney): Promise<void> {
    const position = { sessionId, ...home, accuracy: 5.5, sequence: 1 };
    return this.#call(201, '/location-tracking/journey/updates', trainerId, position);
  }

  live({ sessionId, studentId }: BenchJourney): Promise<void> {
    return this.#call(200, `/location-tracking/journey/live?sessionId=${sessionId}`, studentId);
  }

  end({ sessionId, trainerId }: BenchJourney, how: 'arrived' | 'stop-journey'): Promise<void> {
    return this.#call(200, `/sessions/${sessionId}/${how}`, trainerId, {});
  }

  async queries(): Promise<number> {
    const answer = await fetch(`http://127.0.0.1:${this.#service.managementPort}/metrics`);
    return [...(await answer.text()).matchAll(QUERIES)].reduce((sum, [, count]) => sum + Number(count), 0);
  }

  async #call(status: number, path: string, userId: string, body?: object): Promise<void> {
    const token = await tokens.issue(userId, body === undefined ? 'student' : 'trainer');
    const answer = await fetch(`http://127.0.0.1:${this.#service.port}/api/v1/admin${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (answer.status !== status) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  }
}
