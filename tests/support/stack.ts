import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { startLocalEventBus, type LocalEventBus } from '../../src/dev/event-bus/local-event-bus.js';
import { startLocalPostgres } from '../../src/dev/servers/local-postgres.js';
import { startLocalRedis } from '../../src/dev/servers/local-redis.js';
import { startReaper, type Reaper } from '../../src/dev/servers/reaper.js';
import {
  freePort,
  startServerProcess,
  untilReady,
  type LocalServer,
} from '../../src/dev/servers/server-process.js';
import { createSchema } from '../../src/dev/session-database.js';
import { TokenIssuer } from '../../src/dev/tokens.js';
import { SECRET } from './tokens.js';

export interface StackOptions {
  /** An existing database that has the schema; without it a Postgres is started. */
  databaseUrl?: string;
  /** How many events the bus remembers. */
  keepEvents?: number;
}

/** A row of the platform's table. */
export interface SessionRow {
  sessionId: string;
  trainerId: string;
  studentId: string;
  status: string;
  home: { latitude: number; longitude: number; address?: string } | null;
}

/** The command of a server: the service, or one that it is compared with. */
export interface Program {
  command: readonly string[];
  folder: string;
}

export interface ServerUrls {
  redisUrl: string;
  databaseUrl: string;
  eventBusUrl: string;
}

export interface ServiceProcess {
  pid: number;
  port: number;
  managementPort: number;
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  stop(): Promise<void>;
}

export const projectFolder = join(import.meta.dirname, '../..');
const ATTEMPTS = 3;

/** Progress goes to stderr; stdout is for results. */
export const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** The service of a built checkout as its `npm start` starts it, with the same V8 flags. */
export function builtService(node = process.execPath, folder = projectFolder): Program {
  if (!existsSync(join(folder, 'dist/main.js'))) throw new Error(`No build in ${folder}: npm run build`);
  return { command: [node, ...startArguments(folder)], folder };
}

/** What follows `node` in the start script of a checkout. */
export function startArguments(folder = projectFolder): string[] {
  const { scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    scripts: { start: string };
  };
  return scripts.start.split(' ').slice(1);
}

export const serviceFromSource: Program = {
  command: [process.execPath, '--import', 'tsx', 'src/main.ts'],
  folder: projectFolder,
};

/** The servers that a bench, the fault harness or the model needs: started together, stopped in reverse order. */
export class Stack {
  readonly tokens = new TokenIssuer(SECRET);
  readonly reaper: Reaper;
  readonly bus: LocalEventBus;
  readonly databaseUrl: string;
  readonly database: pg.Pool;
  readonly #stops: (() => unknown)[] = [];
  isStopping = false;

  private constructor(reaper: Reaper, bus: LocalEventBus, databaseUrl: string) {
    this.reaper = reaper;
    this.bus = bus;
    this.databaseUrl = databaseUrl;
    this.database = new pg.Pool({ connectionString: databaseUrl, max: 2 });
    // A fault may close idle connections.
    this.database.on('error', () => undefined);
    this.onStop(() => reaper.close());
    this.onStop(() => bus.stop());
  }

  static async start({ databaseUrl, keepEvents = 10_000 }: StackOptions = {}): Promise<Stack> {
    const reaper = startReaper();
    const bus = await startLocalEventBus({ keep: keepEvents });
    const postgres = databaseUrl === undefined ? await startLocalPostgres({ reaper, say }) : undefined;
    const stack = new Stack(reaper, bus, databaseUrl ?? postgres?.url ?? '');
    if (postgres !== undefined) {
      stack.onStop(() => postgres.stop());
      await createSchema(postgres.url);
    }
    stack.onStop(() => stack.database.end());
    return stack;
  }

  onStop(stop: () => unknown): void {
    this.#stops.push(stop);
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    for (let stop = this.#stops.pop(); stop !== undefined; stop = this.#stops.pop()) {
      try {
        await stop();
      } catch (error) {
        say(`stop failed: ${String(error)}`);
      }
    }
  }

  async startRedis(): Promise<LocalServer> {
    const redis = await startLocalRedis({ reaper: this.reaper, say });
    this.onStop(() => redis.stop());
    return redis;
  }

  /** Settings of the service, as an environment. */
  environment(
    { redisUrl, databaseUrl = this.databaseUrl, eventBusUrl = this.bus.url }: Partial<ServerUrls>,
    settings: Record<string, string> = {},
  ): Record<string, string> {
    return {
      NODE_ENV: 'production',
      REDIS_URL: redisUrl ?? '',
      DATABASE_URL: databaseUrl,
      AUTH_JWT_SECRET: SECRET,
      SHUTDOWN_DELAY_MS: '0',
      AWS_ENDPOINT_URL_EVENTBRIDGE: eventBusUrl,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      ...settings,
    };
  }

  /** A process that listens on PORT. Its output is discarded: to read it would cost CPU time of the load. */
  async startService(
    { command, folder }: Program,
    urls: Partial<ServerUrls>,
    settings: Record<string, string> = {},
  ): Promise<ServiceProcess> {
    for (let attempt = 1; ; attempt++) {
      const [port, managementPort] = [await freePort(), await freePort()];
      const ports = { PORT: String(port), MANAGEMENT_PORT: String(managementPort) };
      const server = await startServerProcess(
        {
          command: 'sh',
          args: ['-c', 'exec "$@" >/dev/null', 'sh', ...command],
          stopSignal: 'SIGTERM',
          cwd: folder,
          environment: { PATH: process.env['PATH'], ...this.environment(urls, settings), ...ports },
        },
        this.reaper,
      );
      try {
        await untilReady(server, () => accepts(port));
        this.onStop(() => server.stop());
        return { pid: server.pid, port, managementPort, ended: server.ended, stop: () => server.stop() };
      } catch (error) {
        await server.stop();
        // Another process may take the port before this one listens on it.
        if (attempt === ATTEMPTS || !server.lastOutput().includes('EADDRINUSE')) throw error;
      }
    }
  }

  async insertSessions(rows: readonly SessionRow[]): Promise<void> {
    await this.database.query(
      `insert into tutoring_sessions (id, student_id, trainer_id, status, student_home_location)
      select id, student_id, trainer_id, status, home::jsonb
      from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[])
        as row (id, student_id, trainer_id, status, home)`,
      [
        rows.map(({ sessionId }) => sessionId),
        rows.map(({ studentId }) => studentId),
        rows.map(({ trainerId }) => trainerId),
        rows.map(({ status }) => status),
        rows.map(({ home }) => home && JSON.stringify(home)),
      ],
    );
  }
}

/** Ends the process with the exit code that `run` returns, or 1 after an error or a signal. */
export async function runWithStack(
  options: StackOptions,
  run: (stack: Stack) => Promise<number>,
): Promise<void> {
  const stack = await Stack.start(options);
  const end = async (exitCode: number) => {
    await stack.stop();
    process.exit(exitCode);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => void end(1));
  try {
    await end(await run(stack));
  } catch (error) {
    // After a signal the servers are stopped during the run.
    if (stack.isStopping) return;
    console.error(error);
    await end(1);
  }
}

async function accepts(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}
