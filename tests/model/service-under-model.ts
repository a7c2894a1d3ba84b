import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { Redis } from 'ioredis';
import pg from 'pg';
import { readConfig, type Config } from '../../src/config.js';
import { startLocalEventBus, type ReceivedEvent } from '../../src/dev/event-bus/local-event-bus.js';
import { Connections, type Incoming, type OutgoingRequest } from '../support/connections.js';
import { startLocalService, programFromSource } from '../../src/dev/local-service.js';
import { startLocalRedis } from '../../src/dev/servers/local-redis.js';
import { startReaper, type Reaper } from '../../src/dev/servers/reaper.js';
import { StopList } from '../../src/dev/stop-list.js';
import { TokenIssuer } from '../../src/dev/tokens.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { JourneyExpiries } from '../../src/outbox/journey-expiries.js';
import { SINGLE_REDIS } from '../../src/store/partitions.js';
import { withScripts } from '../../src/store/scripts.js';
import { startService } from '../../src/app.js';
import type { Call, Caller } from './contract/calls.js';
import type { PlatformSession } from './contract/state.js';

const GIVE_UP_AFTER_MS = 10_000;
const CONNECTIONS = 200;

interface Instance {
  origin: string;
  connections: Connections;
}

export interface UnderModelOptions {
  databaseUrl: string;
  instances: number;
  /** As processes of their own, or in this one. */
  asProcesses?: boolean;
  settings?: Record<string, string>;
  /** In this process alone: a clock in place of Redis' own. */
  clock?: () => number;
}

/** The real service, one or several of it, on a Redis and a bus that nobody else uses. */
export class ServiceUnderModel {
  readonly redis: Redis;
  readonly #toStop: StopList;
  readonly #issuer = new TokenIssuer();
  readonly #tokens = new Map<string, string>();
  readonly #events = new Map<string, ReceivedEvent[]>();
  readonly #pool: pg.Pool;
  readonly #instances: Instance[] = [];
  #deadlines: JourneyExpiries | undefined;
  #rules: Config['rules'] | undefined;

  private constructor(redisUrl: string, databaseUrl: string, toStop: StopList) {
    this.#toStop = toStop;
    this.redis = new Redis(redisUrl);
    this.#pool = new pg.Pool({ connectionString: databaseUrl, max: 2 });
    this.#toStop.add(() => this.#pool.end());
    this.#toStop.add(() => {
      this.redis.disconnect();
      return Promise.resolve();
    });
  }

  static async start(options: UnderModelOptions): Promise<ServiceUnderModel> {
    const reaper = startReaper();
    const toStop = new StopList((line) => process.stderr.write(`${line}\n`));
    toStop.add(() => {
      reaper.close();
      return Promise.resolve();
    });
    const server = await startLocalRedis({ reaper });
    toStop.add(() => server.stop());
    const service = new ServiceUnderModel(server.url, options.databaseUrl, toStop);
    try {
      await service.#startInstances(options, server.url, reaper);
      return service;
    } catch (error) {
      await service.stop();
      throw error;
    }
  }

  /** The newest first: the instances before what they need. */
  async stop(): Promise<void> {
    await this.#toStop.stopAll();
  }

  async addSessions(sessions: readonly PlatformSession[]): Promise<void> {
    const columns = [
      sessions.map(({ sessionId }) => sessionId),
      sessions.map(({ studentId }) => studentId),
      sessions.map(({ trainerId }) => trainerId),
      sessions.map(({ status }) => status),
      sessions.map(({ home }) => home && JSON.stringify(home)),
    ];
    const sql = `
      insert into tutoring_sessions (id, student_id, trainer_id, status, student_home_location)
      select id, student_id, trainer_id, status, home::jsonb
      from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[])
        as row (id, student_id, trainer_id, status, home)`;
    await this.#pool.query(sql, columns);
  }

  async setStatus(sessionId: string, status: string): Promise<void> {
    await this.#pool.query('update tutoring_sessions set status = $2 where id = $1', [sessionId, status]);
  }

  async removeSessions(sessions: readonly PlatformSession[]): Promise<void> {
    const ids = sessions.map(({ sessionId }) => sessionId);
    await this.#pool.query('delete from tutoring_sessions where id = any($1)', [ids]);
    for (const id of ids) this.#events.delete(id);
  }

  /** What each process does once a second: looks for journeys whose limit has passed. */
  async sweep(clock: () => number): Promise<void> {
    if (this.#rules === undefined) throw new Error('only where an instance runs in this process');
    this.#deadlines ??= new JourneyExpiries({
      redis: withScripts(this.redis, this.#rules),
      partitions: SINGLE_REDIS,
      clock,
    });
    await this.#deadlines.endOverdue(100);
  }

  /** What has come to the bus of one session so far. */
  eventsOf(sessionId: string): readonly ReceivedEvent[] {
    return this.#events.get(sessionId) ?? [];
  }

  /** headers go with those of the call. */
  async send(call: Call, headers: Record<string, string> = {}, instance = 0): Promise<Incoming> {
    const request = { ...(await this.#requestOf(call, headers)), answerWithinMs: GIVE_UP_AFTER_MS };
    return new Promise((resolve) => {
      this.#instance(instance).connections.send(request, resolve);
    });
  }

  /** As a phone whose app is closed, or whose net is gone, so many milliseconds after the call. */
  async sendAndHangUp(
    call: Call,
    own: Record<string, string>,
    instance: number,
    afterMs: number,
  ): Promise<Incoming> {
    const { method, path, headers: all, body } = await this.#requestOf(call, own);
    return new Promise((resolve) => {
      const signal = AbortSignal.timeout(Math.ceil(afterMs));
      // Not as a list: Node would not add those of its own, Host and the length.
      const headers = Object.fromEntries(pairsOf(all));
      const options = { method, headers, agent: false as const, signal };
      const hungUp = () => {
        resolve({ kind: 'unanswered' });
      };
      const sent = request(this.#instance(instance).origin + path, options, (response) => {
        text(response).then((answered) => {
          const { statusCode: status = 0, headers: heard } = response;
          resolve({ kind: 'answer', status, headers: heard, body: answered });
        }, hungUp);
      });
      sent.on('error', hungUp);
      sent.end(body ?? undefined);
    });
  }

  async #requestOf(
    call: Call,
    headers: Record<string, string>,
  ): Promise<Omit<OutgoingRequest, 'answerWithinMs'>> {
    const isUpdate = call.kind === 'update';
    const all = {
      authorization: `Bearer ${await this.#tokenOf(call.caller)}`,
      ...(isUpdate && { 'content-type': 'application/json' }),
      ...headers,
    };
    return {
      method: call.kind === 'live' ? 'GET' : 'POST',
      path: `/api/v1/admin/${pathOf(call)}`,
      headers: Object.entries(all).flat(),
      body: isUpdate ? JSON.stringify(call.body) : null,
    };
  }

  #instance(number: number): Instance {
    const instance = this.#instances[number];
    if (instance === undefined) throw new Error(`there is no instance ${number}`);
    return instance;
  }

  async #tokenOf({ userId, role }: Caller): Promise<string> {
    const name = `${role} ${userId}`;
    const known = this.#tokens.get(name);
    if (known !== undefined) return known;
    const token = await this.#issuer.issue(userId, role);
    this.#tokens.set(name, token);
    return token;
  }

  async #startInstances(options: UnderModelOptions, redisUrl: string, reaper: Reaper): Promise<void> {
    const bus = await startLocalEventBus();
    this.#toStop.add(() => bus.stop());
    bus.onEvent((event) => {
      const sessionId = String(event.detail['sessionId']);
      this.#events.set(sessionId, [...this.eventsOf(sessionId), event]);
    });
    for (let instance = 0; instance < options.instances; instance++) {
      const port =
        options.asProcesses === true
          ? await this.#startProcess(options, redisUrl, bus.url, reaper)
          : await this.#startHere(options, redisUrl, bus.url);
      const origin = `http://127.0.0.1:${port}`;
      const connections = new Connections(origin, CONNECTIONS);
      this.#toStop.add(() => connections.close());
      this.#instances.push({ origin, connections });
    }
  }

  async #startHere(
    { databaseUrl, settings, clock }: UnderModelOptions,
    redisUrl: string,
    busUrl: string,
  ): Promise<number> {
    // The SDK takes its credentials from the process' environment alone.
    const aws = {
      AWS_ENDPOINT_URL_EVENTBRIDGE: busUrl,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    };
    Object.assign(process.env, aws);
    const config = readConfig({
      PORT: '0',
      MANAGEMENT_PORT: '0',
      REDIS_URL: redisUrl,
      REDIS_COMMAND_TIMEOUT_MS: '800',
      DATABASE_URL: databaseUrl,
      AUTH_JWT_SECRET: this.#issuer.secret,
      ...aws,
      ...settings,
    });
    this.#rules = config.rules;
    const service = await startService(config, {
      logger: createLogger('silent'),
      ...(clock && { clock }),
      // The model keeps the same event loop busy.
      stretch: () => 1,
    });
    this.#toStop.add(() => service.stop(0));
    return service.port;
  }

  async #startProcess(
    { databaseUrl, settings }: UnderModelOptions,
    redisUrl: string,
    busUrl: string,
    reaper: Reaper,
  ): Promise<number> {
    const service = await startLocalService(
      {
        preferredPort: 0,
        preferredManagementPort: 0,
        redisUrl,
        databaseUrl,
        eventBusUrl: busUrl,
        jwtSecret: this.#issuer.secret,
        corsOrigins: [],
        program: {
          ...programFromSource,
          environment: {
            LOG_LEVEL: 'warn',
            AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
            ...settings,
          },
        },
      },
      { reaper, onLogLine: () => undefined, token: await this.#issuer.issue(randomUUID(), 'admin') },
    );
    this.#toStop.add(() => service.process.stop());
    return service.port;
  }
}

function pairsOf(list: readonly string[]): [string, string][] {
  return list.flatMap((name, index): [string, string][] =>
    index % 2 === 0 ? [[name, list[index + 1] ?? '']] : [],
  );
}

function pathOf(call: Call): string {
  switch (call.kind) {
    case 'start':
      return `sessions/${call.sessionId}/start-journey`;
    case 'arrived':
      return `sessions/${call.sessionId}/arrived`;
    case 'stop':
      return `sessions/${call.sessionId}/stop-journey`;
    case 'update':
      return 'location-tracking/journey/updates';
    case 'live':
      return `location-tracking/journey/live?sessionId=${call.sessionId}`;
  }
}
