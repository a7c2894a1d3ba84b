/** `npm run bench -- quick [--node PATH] [--rounds N]`: the cost of an update against its floor, both in one run. */
import { execFileSync, fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { startLocalEventBus } from '../../src/dev/event-bus/local-event-bus.js';
import { startLocalRedis } from '../../src/dev/servers/local-redis.js';
import { startReaper } from '../../src/dev/servers/reaper.js';
import { freePort } from '../../src/dev/servers/server-process.js';
import { withScripts } from '../../src/redis/scripts.js';
import { SECRET } from '../support/tokens.js';
import { until } from '../support/until.js';
import { cpuSeconds, residentMegabytes } from './cpu-time.js';
import { rules, startJourneys, type BenchJourney } from './journeys.js';
import type { LoadOrder, LoadResult } from './load.js';

const JOURNEYS = 10_000;
const SECONDS = 4;
const CONNECTIONS = 64;
const projectFolder = join(import.meta.dirname, '../..');

interface Contender {
  name: string;
  pid: number;
  port: number;
}

interface Round {
  perSecond: number;
  serviceMicros: number;
  redisMicros: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { node: { type: 'string', default: process.execPath }, rounds: { type: 'string', default: '5' } },
});
if (positionals[0] !== 'quick') {
  console.error('Use: npm run bench -- quick [--node PATH] [--rounds N]');
  process.exit(2);
}

let sequence = 0;

const reaper = startReaper();
const redisServer = await startLocalRedis({ reaper, say: console.error });
const bus = await startLocalEventBus();
const children: ChildProcess[] = [];
try {
  await bench(redisServer.url, redisServer.pid ?? 0);
} finally {
  for (const child of children) child.kill('SIGKILL');
  await Promise.all([redisServer.stop(), bus.stop()]);
  reaper.close();
}

async function bench(redisUrl: string, redisPid: number): Promise<void> {
  const redis = withScripts(new Redis(redisUrl, { enableAutoPipelining: true }));
  console.log(`${JOURNEYS} journeys on ${redisServer.means}, servers on Node ${nodeVersion(values.node)}`);
  const journeys = await startJourneys(redis, JOURNEYS);
  redis.disconnect();
  const environment = {
    REDIS_URL: redisUrl,
    DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
    AUTH_JWT_SECRET: SECRET,
    UPDATE_INTERVAL_MS: String(rules.updateIntervalMs),
    UPDATE_TOLERANCE_MS: String(rules.updateToleranceMs),
    AWS_ENDPOINT_URL_EVENTBRIDGE: bus.url,
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
    NODE_ENV: 'production',
  };
  const ours = await startContender(
    'admin-service',
    ['--max-semi-space-size=16', 'dist/main.js'],
    environment,
    'listening',
  );
  const floor = await startContender(
    'floor',
    ['--import', 'tsx', 'tests/bench/floor.ts'],
    environment,
    'listening',
  );

  const rounds: { ours: Round; floor: Round }[] = [];
  // The events of the journeys' starts go out first; they are no part of an update.
  await until('all events are out', () => bus.received().length === JOURNEYS, 60_000);
  await oneRound(ours, redisPid, journeys);
  await oneRound(floor, redisPid, journeys);
  for (let round = 1; round <= Number(values.rounds); round++) {
    const pair = {
      ours: await oneRound(ours, redisPid, journeys),
      floor: await oneRound(floor, redisPid, journeys),
    };
    rounds.push(pair);
    const ratio = (pair.ours.serviceMicros / pair.floor.serviceMicros).toFixed(2);
    console.log(`round ${round}: ${line(pair.ours)} against ${line(pair.floor)}: ${ratio}`);
  }
  report(rounds, ours);
}

function report(rounds: { ours: Round; floor: Round }[], ours: Contender): void {
  const ratios = rounds.map((pair) => pair.ours.serviceMicros / pair.floor.serviceMicros);
  console.table({
    'admin-service': medians(rounds.map((pair) => pair.ours)),
    floor: medians(rounds.map((pair) => pair.floor)),
  });
  console.log(
    `update, service CPU against the floor: ${median(ratios).toFixed(2)}x (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}); RSS ${residentMegabytes(ours.pid).toFixed(0)} MB`,
  );
}

async function startContender(
  name: string,
  args: string[],
  environment: Record<string, string>,
  readyWhen: string,
): Promise<Contender> {
  const [port, managementPort] = [await freePort(), await freePort()];
  const child = spawn(...pinned(0, values.node, args), {
    cwd: projectFolder,
    env: {
      PATH: process.env['PATH'] ?? '',
      ...environment,
      PORT: String(port),
      MANAGEMENT_PORT: String(managementPort),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes(readyWhen)) resolve();
    });
    child.once('exit', () => {
      reject(new Error(`${name} has stopped`));
    });
  });
  return { name, pid: child.pid ?? 0, port };
}

/** On a core of its own where the system can: the load and Redis share the other. */
function pinned(core: number, command: string, args: string[]): [string, string[]] {
  return process.platform === 'linux' ? ['taskset', ['-c', String(core), command, ...args]] : [command, args];
}

async function oneRound(contender: Contender, redisPid: number, journeys: BenchJourney[]): Promise<Round> {
  const load = fork(join(projectFolder, 'tests/bench/load.ts'), { execArgv: ['--import', 'tsx'] });
  if (process.platform === 'linux')
    execFileSync('taskset', ['-cp', '1', String(load.pid)], { stdio: 'ignore' });
  const before = [cpuSeconds(contender.pid), cpuSeconds(redisPid)] as const;
  const startedAt = performance.now();
  const order: LoadOrder = {
    port: contender.port,
    seconds: SECONDS,
    connections: CONNECTIONS,
    journeys,
    firstSequence: sequence + 1,
  };
  load.send(order);
  const [result] = (await once(load, 'message')) as [LoadResult];
  sequence = result.lastSequence;
  if (Object.keys(result.others).length > 0)
    throw new Error(`not all were taken: ${JSON.stringify(result.others)}`);
  return {
    perSecond: result.answers / ((performance.now() - startedAt) / 1000),
    serviceMicros: ((cpuSeconds(contender.pid) - before[0]) * 1e6) / result.answers,
    redisMicros: ((cpuSeconds(redisPid) - before[1]) * 1e6) / result.answers,
  };
}

function medians(rounds: Round[]): Record<string, string> {
  const of = (field: keyof Round) => median(rounds.map((round) => round[field]));
  return {
    'requests/s': of('perSecond').toFixed(0),
    'service CPU µs': of('serviceMicros').toFixed(1),
    'Redis CPU µs': of('redisMicros').toFixed(1),
  };
}

function line(round: Round): string {
  return `${round.perSecond.toFixed(0)}/s at ${round.serviceMicros.toFixed(1)} µs (Redis ${round.redisMicros.toFixed(1)})`;
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

function nodeVersion(path: string): string {
  return execFileSync(path, ['--version']).toString().trim();
}
