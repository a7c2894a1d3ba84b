import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { internalFailure, throttled, type Trouble } from '../../src/dev/event-bus/local-event-bus.js';
import { asModule, clockAheadBy } from '../support/preloaded.js';
import type { TcpProxy } from '../support/tcp-proxy.js';
import type { FaultParts } from './fault-stack.js';
import type { Excuses } from './history.js';
import type { Processes } from './processes.js';

export interface FaultWorld extends FaultParts {
  processes: Processes;
  /** Ends every fault of the networks, the bus and a hanging Redis. */
  heal: () => void;
  /** What Redis acknowledged until now is lost. */
  dataIsLost: () => void;
}

export interface Fault {
  name: string;
  excuses?: Excuses;
  /** Recovery ends when the events are published, not when requests are served. */
  isAboutEvents?: true;
  /** Happens once, however often the others do. */
  isLong?: true;
  replacesProcesses?: true;
  /** Brings the fault about and takes it back; resolves as soon as the dependency works again. */
  happen(world: FaultWorld): Promise<void>;
}

const LASTS_MS = 2_000;
const LONG_OUTAGE_MS = 120_000;
const SLOW_BY_MS = 200;
/** Longer than any timeout of the service. */
const TOO_SLOW_BY_MS = 1_200;

/** By their groups. */
export const faults: Record<string, readonly Fault[]> = {
  redis: [
    lasting('redis hangs', ({ redis }) => redis.freeze()),
    lasting(
      'redis is killed and comes back with its data',
      ({ redis }) => redis.kill(),
      ({ redis }) => redis.startAgain({ withData: true }),
    ),
    {
      excuses: { lostData: true },
      ...lasting(
        'redis is killed and comes back empty',
        async ({ redis, dataIsLost }) => {
          await redis.kill();
          dataIsLost();
        },
        async ({ redis, dataIsLost }) => {
          await redis.startAgain({ withData: false });
          dataIsLost();
        },
      ),
    },
    {
      name: 'redis closes all connections',
      happen: async ({ redis }) => {
        await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        await redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      },
    },
    slow('redis is 200 ms slower', ({ redisNetwork }) => redisNetwork, SLOW_BY_MS),
    lasting(
      'redis is out of memory',
      async ({ redis }) => {
        await redis.client.config('SET', 'maxmemory-policy', 'noeviction');
        await redis.client.config('SET', 'maxmemory', '1');
      },
      ({ redis }) => redis.client.config('SET', 'maxmemory', '0'),
    ),
    {
      name: 'redis forgets the scripts',
      happen: async ({ redis }) => {
        await redis.client.script('FLUSH');
      },
    },
    lasting(
      'redis is read-only',
      // A replica of a primary that does not exist.
      ({ redis }) => redis.client.replicaof('127.0.0.1', 1),
      ({ redis }) => redis.client.replicaof('NO', 'ONE'),
    ),
  ],
  network: [
    ...networkFaults('redis', ({ redisNetwork }) => redisNetwork),
    ...networkFaults('postgres', ({ postgresNetwork }) => postgresNetwork),
  ],
  postgres: [
    slow('postgres is 200 ms slower', ({ postgresNetwork }) => postgresNetwork, SLOW_BY_MS),
    { name: 'postgres has too many connections', happen: takeAllConnections },
    { name: 'postgres has unreadable homes', happen: spoilHomes },
  ],
  events: [
    busFault('answers 500', internalFailure),
    busFault('hangs', { kind: 'hang' }),
    busFault('throttles', throttled),
    busFault('refuses part of the entries', {
      kind: 'refuse',
      code: 'InternalFailure',
      refuses: (_event, index) => index % 2 === 0,
    }),
    busFault('takes events and its answer is lost', { kind: 'lose-answer' }),
    busOutage('EventBridge is unavailable', 2 * LASTS_MS),
    { ...busOutage('EventBridge is unavailable for 2 minutes', LONG_OUTAGE_MS), isLong: true },
  ],
  service: [
    {
      name: 'one of two processes stands still for 2 s',
      excuses: { laterByMs: LASTS_MS },
      happen: async ({ processes }) => {
        const { pid } = processes.first();
        process.kill(pid, 'SIGSTOP');
        await pause(LASTS_MS);
        process.kill(pid, 'SIGCONT');
      },
    },
    {
      name: 'the event loop of one of two processes is blocked for 2 s',
      replacesProcesses: true,
      excuses: { laterByMs: LASTS_MS },
      happen: async ({ processes }) => {
        const service = await processes.replaceFirst(['--import', blockedOnSignal(LASTS_MS)]);
        process.kill(service.pid, 'SIGUSR2');
        await pause(LASTS_MS);
      },
    },
    {
      name: 'one of two processes is stopped (SIGTERM)',
      replacesProcesses: true,
      happen: async ({ processes }) => {
        const service = processes.first();
        await processes.startOne();
        process.kill(service.pid, 'SIGTERM');
        const { code, signal } = await processes.drain(service);
        if (code !== 0) throw new Error(`after SIGTERM the process ended with ${code ?? signal}`);
      },
    },
    {
      name: 'one of two processes is killed (SIGKILL)',
      replacesProcesses: true,
      excuses: { brokenConnections: true },
      happen: async ({ processes }) => {
        const service = processes.first();
        process.kill(service.pid, 'SIGKILL');
        await processes.noticeDeath(service);
        await processes.startOne();
      },
    },
    {
      name: 'the clocks of two processes are 3 s apart',
      replacesProcesses: true,
      happen: async ({ processes }) => {
        await processes.replaceFirst(['--import', clockAheadBy(3_000)]);
        await pause(LASTS_MS);
      },
    },
  ],
};

type NetworkOf = (world: FaultWorld) => TcpProxy;

function lasting(
  name: string,
  begin: (world: FaultWorld) => unknown,
  end: (world: FaultWorld) => unknown = ({ heal }) => heal(),
  ms = LASTS_MS,
): Fault {
  return {
    name,
    happen: async (world) => {
      await begin(world);
      await pause(ms);
      await end(world);
    },
  };
}

function slow(name: string, networkOf: NetworkOf, byMs: number): Fault {
  return lasting(name, (world) => networkOf(world).delay(byMs / 2));
}

function networkFaults(server: string, networkOf: NetworkOf): Fault[] {
  const fault = (name: string, begin: (network: TcpProxy) => void, ms?: number) => {
    const beginOn = (world: FaultWorld) => begin(networkOf(world));
    return lasting(`the network to ${server} ${name}`, beginOn, undefined, ms);
  };
  return [
    fault('is cut', (network) => network.cut()),
    ...([undefined, 'requests', 'answers'] as const).map((way) =>
      fault(way === undefined ? 'passes nothing' : `loses ${way}`, (network) => network.freeze(way)),
    ),
    slow(`the network to ${server} is slower than the timeout`, networkOf, TOO_SLOW_BY_MS),
    // New connections work at once.
    fault('is half-open', (network) => network.halfOpen(), 0),
  ];
}

/** Takes the service's connections too; one is reserved beforehand for the query that ends them. */
async function takeAllConnections({ stack: { database, databaseUrl } }: FaultWorld): Promise<void> {
  const taken: pg.Client[] = [];
  const takeAll = async () => {
    for (;;) {
      const client = new pg.Client({ connectionString: databaseUrl });
      client.on('error', () => undefined);
      try {
        await client.connect();
      } catch {
        return;
      }
      taken.push(client);
    }
  };
  const reserved = await database.connect();
  try {
    await takeAll();
    await reserved.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'admin-service'`,
    );
    await takeAll();
    await pause(LASTS_MS);
  } finally {
    reserved.release();
    await Promise.all(taken.map((client) => client.end().catch(() => undefined)));
  }
}

/** Homes that another service might write. */
const UNREADABLE = [
  '"north"',
  '[]',
  '{"latitude": "12", "longitude": 77}',
  '{"latitude": 1e300, "longitude": 0}',
];

async function spoilHomes({ stack: { database } }: FaultWorld): Promise<void> {
  await database.query('create table spoilt as select id, student_home_location from tutoring_sessions');
  await database.query(
    `update tutoring_sessions set student_home_location = ($1::jsonb[])[1 + abs(hashtext(id::text)) % $2]`,
    [UNREADABLE, UNREADABLE.length],
  );
  await pause(2 * LASTS_MS);
  await database.query(
    `update tutoring_sessions set student_home_location = spoilt.student_home_location
     from spoilt where spoilt.id = tutoring_sessions.id`,
  );
  await database.query('drop table spoilt');
}

function busFault(name: string, trouble: Trouble): Fault {
  const begin = ({ stack }: FaultWorld) => stack.bus.failWhile(() => trouble);
  return { ...lasting(`EventBridge ${name}`, begin), isAboutEvents: true };
}

function busOutage(name: string, ms: number): Fault {
  const begin = ({ busNetwork }: FaultWorld) => busNetwork.cut();
  return { ...lasting(name, begin, undefined, ms), isAboutEvents: true };
}

/** A module that blocks the event loop for so long on SIGUSR2. */
function blockedOnSignal(ms: number): string {
  return asModule(`
    process.on('SIGUSR2', () => {
      const until = performance.now() + ${ms};
      while (performance.now() < until);
    });`);
}
