import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { startLocalEventBus, type LocalEventBus } from '../../src/dev/event-bus/local-event-bus.js';
import { createOwnSessions } from '../../src/dev/load/own-sessions.js';
import type { LoadSession } from '../../src/dev/load/sessions.js';
import { projectFolder, startLocalService, type LocalService } from '../../src/dev/local-service.js';
import { startLocalPostgres } from '../../src/dev/servers/local-postgres.js';
import type { Reaper } from '../../src/dev/servers/reaper.js';
import { createSchema, untouchedSessionId } from '../../src/dev/session-database.js';
import type { StopList } from '../../src/dev/stop-list.js';
import { TokenIssuer } from '../../src/dev/tokens.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { UPDATE_INTERVAL_MS } from './journeys.js';

export interface Surroundings {
  reaper: Reaper;
  toStop: StopList;
  say: (line: string) => void;
}

/** What the ALB is given to notice that a process wants no more requests. */
export const DRAIN_MS = 1_500;

/** Everything that the service needs, each with a network in between that can be broken. */
export class Stack {
  readonly #surroundings: Surroundings;
  readonly #issuer = new TokenIssuer();
  readonly redis: PrivateRedis;
  readonly redisNetwork: TcpProxy;
  readonly postgresNetwork: TcpProxy;
  readonly busNetwork: TcpProxy;
  readonly bus: LocalEventBus;
  /** Past the network, for what a fault sets up and takes back. */
  readonly database: pg.Pool;
  readonly databaseUrl: string;

  private constructor(
    surroundings: Surroundings,
    parts: Pick<
      Stack,
      'redis' | 'redisNetwork' | 'postgresNetwork' | 'busNetwork' | 'bus' | 'database' | 'databaseUrl'
    >,
  ) {
    this.#surroundings = surroundings;
    this.redis = parts.redis;
    this.redisNetwork = parts.redisNetwork;
    this.postgresNetwork = parts.postgresNetwork;
    this.busNetwork = parts.busNetwork;
    this.bus = parts.bus;
    this.database = parts.database;
    this.databaseUrl = parts.databaseUrl;
  }

  static async start(surroundings: Surroundings): Promise<Stack> {
    const { reaper, toStop, say } = surroundings;
    if (!existsSync(join(projectFolder, 'dist/main.js'))) throw new Error('There is no build: npm run build');
    const kept = <Part extends { stop(): Promise<void> }>(part: Part): Part => {
      toStop.add(() => part.stop());
      return part;
    };
    const redis = kept(await startPrivateRedis());
    const postgres = kept(await startLocalPostgres({ reaper, say }));
    await createSchema(postgres.url);
    const bus = kept(await startLocalEventBus());
    const database = new pg.Pool({ connectionString: postgres.url, max: 2 });
    // Connections that a fault ends are made anew.
    database.on('error', () => undefined);
    toStop.add(() => database.end());
    return new Stack(surroundings, {
      redis,
      bus,
      database,
      databaseUrl: postgres.url,
      redisNetwork: kept(await startTcpProxy(redis.url)),
      postgresNetwork: kept(await startTcpProxy(postgres.url)),
      busNetwork: kept(await startTcpProxy(bus.url)),
    });
  }

  sessions(count: number): Promise<LoadSession[]> {
    const { databaseUrl } = this;
    return createOwnSessions(
      { count, databaseUrl, issuer: this.#issuer, random: Math.random },
      this.#surroundings,
    );
  }

  /** One more process, as production starts it. nodeArgs go before all others. */
  async startService(nodeArgs: readonly string[] = []): Promise<LocalService> {
    const { reaper, toStop } = this.#surroundings;
    const service = await startLocalService(
      {
        preferredPort: 0,
        preferredManagementPort: 0,
        redisUrl: this.redisNetwork.urlFor(this.redis.url),
        databaseUrl: this.postgresNetwork.urlFor(this.databaseUrl),
        eventBusUrl: this.busNetwork.urlFor(this.bus.url),
        jwtSecret: this.#issuer.secret,
        corsOrigins: [],
        program: {
          command: process.execPath,
          args: [...nodeArgs, ...startArguments()],
          environment: {
            NODE_ENV: 'production',
            UPDATE_INTERVAL_MS: String(UPDATE_INTERVAL_MS),
            SHUTDOWN_DELAY_MS: String(DRAIN_MS),
            AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
          },
        },
      },
      { reaper, onLogLine: () => undefined, token: await this.#issuer.issue(untouchedSessionId, 'admin') },
    );
    toStop.add(() => service.process.stop());
    return service;
  }

  /** As it was at the beginning; also after a run that was interrupted in the middle of a fault. */
  async heal(): Promise<void> {
    this.redis.thaw();
    this.redisNetwork.heal();
    this.postgresNetwork.heal();
    this.busNetwork.heal();
    this.bus.failWhile(undefined);
    await Promise.resolve();
  }

  /** Locations in Redis whose journey is not there any more; looked at in one atomic step. */
  async orphanedLocations(): Promise<number> {
    return Number(await this.redis.client.eval(COUNT_ORPHANS, 0));
  }

  unpublishedEvents(): Promise<number> {
    return this.redis.client.xlen('journey:outbox');
  }
}

const COUNT_ORPHANS = `
  local orphans = 0
  for _, pattern in ipairs({'location:trainer:*:session:*', 'journey:track:*'}) do
    for _, key in ipairs(redis.call('KEYS', pattern)) do
      if redis.call('EXISTS', 'journey:active:' .. string.sub(key, -36)) == 0 then orphans = orphans + 1 end
    end
  end
  return orphans`;

/** What `npm start` starts, and so production. */
function startArguments(): string[] {
  const file = readFileSync(join(projectFolder, 'package.json'), 'utf8');
  const { scripts } = JSON.parse(file) as { scripts: { start: string } };
  return scripts.start.split(' ').slice(1);
}
