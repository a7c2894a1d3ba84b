import { setTimeout as sleep } from 'node:timers/promises';
import { say } from '../../support/stack.js';
import {
  OUTBOX_KEY,
  productionSettings,
  SPARE_SESSIONS,
  type Bench,
  type RunningContender,
} from '../bench.js';
import { home, journeyAt, type BenchJourney } from '../bench-journeys.js';
import type { Bar, PartReport } from '../report/part-report.js';
import { callApi } from './calls.js';

/** Until the commands and queries of a call are counted. */
const SETTLE_MS = 30;
const QUERIES = /^postgres_query_duration_seconds_count\{[^}]*\} (\d+)/gm;

interface Trips {
  redis: number[];
  postgres: number[];
}

/** The round trips of each call, by Redis' MONITOR and the service's own count of queries. */
export async function countRoundTrips(bench: Bench): Promise<PartReport> {
  const { client } = await bench.redisFor(bench.contenders.service);
  // Before the service: ioredis fails where another command arrives while it begins to monitor.
  const monitor = await client.monitor();
  const commands: string[][] = [];
  monitor.on('monitor', (_time: string, args: string[], source: string) => {
    if (source !== 'lua') commands.push(args);
  });
  const service = await bench.start(bench.contenders.service, productionSettings);
  const trips = new Map<string, Trips>();
  say('round trips of each call');
  for (let index = 0; index < SPARE_SESSIONS; index++) {
    const journey = journeyAt(bench.options.journeys + index);
    // Half of them arrive, half are stopped.
    for (const [name, call] of callsOf(journey, index % 2 === 0)) {
      await sleep(SETTLE_MS);
      commands.length = 0;
      const queriesBefore = await queriesOf(service);
      await call(service.port);
      await sleep(SETTLE_MS);
      const counted = trips.get(name) ?? { redis: [], postgres: [] };
      counted.redis.push(commands.filter((args) => isAbout(journey, args)).length);
      counted.postgres.push((await queriesOf(service)) - queriesBefore);
      trips.set(name, counted);
    }
  }
  monitor.disconnect();
  await service.stop();
  await client.del(OUTBOX_KEY);
  return {
    title: 'Round trips of a call',
    rows: [...trips].map(([call, { redis, postgres }]) => ({
      call,
      'to Redis': range(redis),
      'to Postgres': range(postgres),
    })),
    bars: [...trips].map(([call, counted]) => barOf(call, counted)),
    notes: [
      "To Redis: commands of the service that name the session, its trainer or its student, without those inside scripts. To Postgres: the service's own count of queries.",
    ],
  };
}

type Calls = [name: string, call: (port: number) => Promise<void>][];

function callsOf({ sessionId, trainerId, studentId }: BenchJourney, arrives: boolean): Calls {
  const position = { sessionId, ...home, accuracy: 5.5, sequence: 1 };
  const trainer = { userId: trainerId, role: 'trainer' } as const;
  const post = (status: number, path: string, body: object) => (port: number) =>
    expectStatus(status, path, callApi(port, path, trainer, body));
  const livePath = `/location-tracking/journey/live?sessionId=${sessionId}`;
  const live = (port: number) =>
    expectStatus(200, livePath, callApi(port, livePath, { userId: studentId, role: 'student' }));
  return [
    ['start', post(201, `/sessions/${sessionId}/start-journey`, {})],
    ['update', post(201, '/location-tracking/journey/updates', position)],
    ['live', live],
    arrives
      ? ['arrived', post(200, `/sessions/${sessionId}/arrived`, {})]
      : ['stop', post(200, `/sessions/${sessionId}/stop-journey`, {})],
  ];
}

async function expectStatus(status: number, path: string, answer: Promise<Response>): Promise<void> {
  const response = await answer;
  const text = await response.text();
  if (response.status !== status) throw new Error(`${path}: ${response.status} ${text}`);
}

function isAbout(journey: BenchJourney, args: readonly string[]): boolean {
  const ids = [journey.sessionId, journey.trainerId, journey.studentId];
  return args.some((argument) => ids.some((id) => argument.includes(id)));
}

async function queriesOf({ managementPort }: RunningContender): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${managementPort}/metrics`);
  return [...(await answer.text()).matchAll(QUERIES)].reduce((sum, [, count]) => sum + Number(count), 0);
}

function barOf(call: string, { redis, postgres }: Trips): Bar {
  const queries = call === 'start' ? 1 : 0;
  const isMet = redis.every((count) => count === 1) && postgres.every((count) => count === queries);
  const text = (trips: string, count: string) => `${trips} to Redis, ${count} to Postgres`;
  return {
    what: `${call}: round trips`,
    limit: text('1', String(queries)),
    figure: text(range(redis), range(postgres)),
    verdict: isMet ? 'ok' : 'MISSED',
  };
}

function range(counts: number[]): string {
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? String(least) : `${least}–${most}`;
}
