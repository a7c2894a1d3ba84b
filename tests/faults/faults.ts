import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { internalFailure, throttled, type Trouble } from '../../src/dev/event-bus/local-event-bus.js';
import type { Excuses } from './history.js';
import type { Processes } from './processes.js';
import type { Stack } from './stack.js';
import { asModule, clockAheadBy } from '../support/preloaded.js';

export interface FaultWorld {
  stack: Stack;
  processes: Processes;
  /** Tells the phones that what was acknowledged up to now is gone. */
  dataIsLost: () => void;
}

export interface Fault {
  name: string;
  excuses?: Excuses;
  /** Recovery ends when what is unpublished is out, and not when requests are served. */
  isAboutEvents?: true;
  /** It takes so long that it happens once, however often the others do. */
  isLong?: true;
  /** The processes that there are afterwards are others than before. */
  replacesProcesses?: true;
  /** Brings it about, and takes it back; resolves as soon as the dependency is as it should be. */
  happen(world: FaultWorld): Promise<void>;
}

/** How long a fault goes on. */
const LASTS_MS = 2_000;
const AWAY_FOR_MINUTES_MS = 120_000;
const SLOW_BY_MS = 200;
/** Later than anything that the service waits for. */
const TOO_SLOW_BY_MS = 1_200;
const NOWHERE = ['127.0.0.1', 1] as const;

/** By their groups, which --only takes as well. */
export const faults: Record<string, readonly Fault[]> = {
  redis: [
    {
      name: 'redis hangs',
      happen: async ({ stack: { redis } }) => {
        redis.freeze();
        await pause(LASTS_MS);
        redis.thaw();
      },
    },
    {
      name: 'redis is killed and comes back with its data',
      happen: async ({ stack: { redis } }) => {
        await redis.kill();
        await pause(LASTS_MS / 2);
        await redis.startAgain({ withData: true });
      },
    },
    {
      name: 'redis is killed and comes back empty',
      excuses: { lostData: true },
      happen: async ({ stack: { redis }, dataIsLost }) => {
        await redis.kill();
        dataIsLost();
        await pause(LASTS_MS / 2);
        await redis.startAgain({ withData: false });
        dataIsLost();
      },
    },
    {
      name: 'redis closes all connections',
      happen: async ({ stack: { redis } }) => {
        await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        await redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      },
    },
    {
      name: 'redis is 200 ms slower',
      happen: ({ stack }) => slow(stack.redisNetwork, SLOW_BY_MS),
    },
    {
      name: 'redis is out of memory',
      happen: async ({ stack: { redis } }) => {
        await redis.client.config('SET', 'maxmemory-policy', 'noeviction');
        await redis.client.config('SET', 'maxmemory', '1');
        await pause(LASTS_MS);
        await redis.client.config('SET', 'maxmemory', '0');
      },
    },
    {
      name: 'redis forgets the scripts',
      happen: async ({ stack: { redis } }) => {
        await redis.client.script('FLUSH');
      },
    },
    {
      name: 'redis is read-only',
      happen: async ({ stack: { redis } }) => {
        await redis.client.replicaof(...NOWHERE);
        await pause(LASTS_MS);
        await redis.client.replicaof('NO', 'ONE');
      },
    },
  ],
  network: [
    ...networkFaults('redis', ({ redisNetwork }) => redisNetwork),
    ...networkFaults('postgres', ({ postgresNetwork }) => postgresNetwork),
  ],
  postgres: [
    {
      name: 'postgres is 200 ms slower',
      happen: ({ stack }) => slow(stack.postgresNetwork, SLOW_BY_MS),
    },
    { name: 'postgres has too many connections', happen: ({ stack }) => takeAllConnections(stack) },
    { name: 'postgres has nonsense for a home', happen: ({ stack }) => spoilHomes(stack) },
  ],
  events: [
    busFault('answers 500', () => internalFailure),
    busFault('hangs', () => ({ kind: 'hang' })),
    busFault('throttles', () => throttled),
    busFault('refuses part of the entries', () => ({
      kind: 'refuse',
      code: 'InternalFailure',
      refuses: (_event, index) => index % 2 === 0,
    })),
    busFault('takes events and its answer is lost', () => ({ kind: 'lose-answer' })),
    busAway('EventBridge is away', 2 * LASTS_MS),
    { ...busAway('EventBridge is away for 2 minutes', AWAY_FOR_MINUTES_MS), isLong: true },
  ],
  service: [
    {
      name: 'one of two processes stands still for 2 s',
      excuses: { laterByMs: LASTS_MS },
      happen: async ({ processes }) => {
        const { pid } = processes.first().process;
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
        const service = await processes.firstReplacedBy(['--import', blockedOnSignal(LASTS_MS)]);
        process.kill(service.process.pid, 'SIGUSR2');
        await pause(LASTS_MS);
      },
    },
    {
      name: 'one of two processes is stopped (SIGTERM)',
      replacesProcesses: true,
      happen: async ({ processes }) => {
        const service = processes.first();
        await processes.startOne();
        process.kill(service.process.pid, 'SIGTERM');
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
        process.kill(service.process.pid, 'SIGKILL');
        await processes.noticeDeath(service);
        await processes.startOne();
      },
    },
    {
      name: 'the clocks of two processes are 3 s apart',
      replacesProcesses: true,
      happen: async ({ processes }) => {
        await processes.firstReplacedBy(['--import', clockAheadBy(3_000)]);
        await pause(LASTS_MS);
      },
    },
  ],
};

interface Network {
  cut(): void;
  freeze(way?: 'requests' | 'answers'): void;
  halfOpen(): void;
  delay(ms: number): void;
  heal(): void;
}

function networkFaults(server: string, networkOf: (stack: Stack) => Network): Fault[] {
  const lasting = (name: string, begin: (network: Network) => void): Fault => ({
    name: `the network to ${server} ${name}`,
    happen: async ({ stack }) => {
      const network = networkOf(stack);
      begin(network);
      await pause(LASTS_MS);
      network.heal();
    },
  });
  return [
    lasting('is cut', (network) => {
      network.cut();
    }),
    lasting('lets nothing through', (network) => {
      network.freeze();
    }),
    lasting('loses requests', (network) => {
      network.freeze('requests');
    }),
    lasting('loses answers', (network) => {
      network.freeze('answers');
    }),
    {
      name: `the network to ${server} is slower than may be waited`,
      happen: (world) => slow(networkOf(world.stack), TOO_SLOW_BY_MS),
    },
    {
      name: `the network to ${server} is half-open`,
      happen: ({ stack }) => {
        networkOf(stack).halfOpen();
        return Promise.resolve();
      },
    },
  ];
}

async function slow(network: Network, byMs: number): Promise<void> {
  network.delay(byMs / 2);
  await pause(LASTS_MS);
  network.heal();
}

/** Of what the stack's own pool and Postgres itself need, nothing is left either. */
async function takeAllConnections({ database, databaseUrl }: Stack): Promise<void> {
  const taken: pg.Client[] = [];
  const fill = async () => {
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
  const holder = await database.connect();
  try {
    await fill();
    await holder.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'admin-service'`,
    );
    await fill();
    await pause(LASTS_MS);
  } finally {
    holder.release();
    await Promise.all(taken.map((client) => client.end().catch(() => undefined)));
  }
}

/** What the platform's other parts might write. */
const NONSENSE = [
  '"north"',
  '[]',
  '{"latitude": "12", "longitude": 77}',
  '{"latitude": 1e300, "longitude": 0}',
];

async function spoilHomes({ database }: Stack): Promise<void> {
  await database.query('create table spoilt as select id, student_home_location from tutoring_sessions');
  await database.query(
    `update tutoring_sessions set student_home_location = ($1::jsonb[])[1 + abs(hashtext(id::text)) % $2]`,
    [NONSENSE, NONSENSE.length],
  );
  await pause(2 * LASTS_MS);
  await database.query(
    `update tutoring_sessions set student_home_location = spoilt.student_home_location
     from spoilt where spoilt.id = tutoring_sessions.id`,
  );
  await database.query('drop table spoilt');
}

function busFault(name: string, trouble: () => Trouble): Fault {
  return {
    name: `EventBridge ${name}`,
    isAboutEvents: true,
    happen: async ({ stack: { bus } }) => {
      bus.failWhile(trouble);
      await pause(LASTS_MS);
      bus.failWhile(undefined);
    },
  };
}

function busAway(name: string, forMs: number): Fault {
  return {
    name,
    isAboutEvents: true,
    happen: async ({ stack: { busNetwork } }) => {
      busNetwork.cut();
      await pause(forMs);
      busNetwork.heal();
    },
  };
}

/** Lets nothing else run for so long after a SIGUSR2. */
function blockedOnSignal(ms: number): string {
  return asModule(`
    process.on('SIGUSR2', () => {
      const until = performance.now() + ${ms};
      while (performance.now() < until);
    });`);
}
