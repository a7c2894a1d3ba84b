import { Redis } from 'ioredis';
import { Pool } from 'undici';
import { startService } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import type { ReceivedEvent } from '../../src/dev/event-bus/local-event-bus.js';
import { ExpirySweeper } from '../../src/outbox/expiry-sweeper.js';
import { JourneyExpiries } from '../../src/outbox/journey-expiries.js';
import { SINGLE_REDIS } from '../../src/store/partitions.js';
import { withScripts } from '../../src/store/scripts.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { serviceFromSource, type Stack } from '../support/stack.js';
import type { Call, ReceivedAnswer } from './contract/calls.js';
import type { PlatformSession } from './contract/state.js';

const ANSWER_WITHIN_MS = 10_000;
const CONNECTIONS = 200;
const BASE = '/api/v1/admin';

export interface UnderModelOptions {
  instances: number;
  /** As processes of their own, or in this one. */
  asProcesses?: boolean;
  settings?: Record<string, string>;
  /** In this process only: a clock in place of Redis' own; then only sweep() ends overdue journeys. */
  clock?: () => number;
}

/** The real service, one or several instances of it, on a Redis of its own. */
export class ServiceUnderModel {
  readonly redis: Redis;
  readonly #stack: Stack;
  readonly #events = new Map<string, ReceivedEvent[]>();
  readonly #instances: Pool[] = [];
  #expiries: JourneyExpiries | undefined;

  private constructor(stack: Stack, redisUrl: string) {
    this.#stack = stack;
    this.redis = new Redis(redisUrl);
    stack.onStop(() => {
      this.redis.disconnect();
    });
    stack.bus.onEvent((event) => {
      const sessionId = String(event.detail['sessionId']);
      this.#events.set(sessionId, [...this.eventsOf(sessionId), event]);
    });
  }

  /** It stops with the stack. */
  static async start(stack: Stack, options: UnderModelOptions): Promise<ServiceUnderModel> {
    const { url } = await stack.startRedis();
    const service = new ServiceUnderModel(stack, url);
    for (let started = 0; started < options.instances; started++) {
      const { port } =
        options.asProcesses === true
          ? await stack.startService(serviceFromSource, { redisUrl: url }, options.settings)
          : await service.#startHere(url, options);
      const pool = new Pool(`http://127.0.0.1:${port}`, { connections: CONNECTIONS, pipelining: 1 });
      stack.onStop(() => pool.destroy());
      service.#instances.push(pool);
    }
    return service;
  }

  addSessions(sessions: readonly PlatformSession[]): Promise<void> {
    return this.#stack.insertSessions(sessions);
  }

  async setStatus(sessionId: string, status: string): Promise<void> {
    const sql = 'update tutoring_sessions set status = $2 where id = $1';
    await this.#stack.database.query(sql, [sessionId, status]);
  }

  async removeSessions(sessions: readonly PlatformSession[]): Promise<void> {
    const ids = sessions.map(({ sessionId }) => sessionId);
    await this.#stack.database.query('delete from tutoring_sessions where id = any($1)', [ids]);
    for (const id of ids) this.#events.delete(id);
  }

  /** Ends journeys that are past their limit, as an instance does once a second. */
  async sweep(): Promise<void> {
    if (this.#expiries === undefined) throw new Error('only with an instance in this process');
    await this.#expiries.endOverdue(100);
  }

  /** The events of one session that the bus has received. */
  eventsOf(sessionId: string): readonly ReceivedEvent[] {
    return this.#events.get(sessionId) ?? [];
  }

  /** hangUpAfterMs: closes the connection then. @returns null where there is no answer */
  async send(
    call: Call,
    headers: Record<string, string> = {},
    instance = 0,
    hangUpAfterMs = ANSWER_WITHIN_MS,
  ): Promise<ReceivedAnswer | null> {
    const pool = this.#instances[instance];
    if (pool === undefined) throw new Error(`there is no instance ${instance}`);
    const isUpdate = call.kind === 'update';
    const authorization = `Bearer ${await this.#stack.tokens.issue(call.caller.userId, call.caller.role)}`;
    try {
      const {
        statusCode,
        headers: received,
        body,
      } = await pool.request({
        method: call.kind === 'live' ? 'GET' : 'POST',
        path: pathOf(call),
        headers: { authorization, ...(isUpdate && { 'content-type': 'application/json' }), ...headers },
        body: isUpdate ? JSON.stringify(call.body) : null,
        signal: AbortSignal.timeout(Math.ceil(hangUpAfterMs)),
      });
      const text = await body.text();
      return {
        status: statusCode,
        headers: received,
        body: text === '' ? null : (JSON.parse(text) as unknown),
      };
    } catch {
      return null;
    }
  }

  async #startHere(redisUrl: string, { settings = {}, clock }: UnderModelOptions): Promise<{ port: number }> {
    const environment = this.#stack.environment(
      { redisUrl },
      { PORT: '0', MANAGEMENT_PORT: '0', REDIS_COMMAND_TIMEOUT_MS: '800', ...settings },
    );
    // The AWS SDK reads its credentials from the environment of the process only.
    Object.assign(process.env, environment);
    const config = readConfig(environment);
    const redis = withScripts(this.redis, config.rules);
    this.#expiries = new JourneyExpiries({ redis, partitions: SINGLE_REDIS, clock });
    if (clock !== undefined) ExpirySweeper.prototype.start = () => undefined;
    const service = await startService(config, {
      logger: createLogger('silent'),
      ...(clock && { clock }),
      // The model shares the event loop, so its load says nothing about the service.
      stretch: () => 1,
    });
    this.#stack.onStop(() => service.stop(0));
    return service;
  }
}

function pathOf(call: Call): string {
  switch (call.kind) {
    case 'start':
      return `${BASE}/sessions/${call.sessionId}/start-journey`;
    case 'arrived':
      return `${BASE}/sessions/${call.sessionId}/arrived`;
    case 'stop':
      return `${BASE}/sessions/${call.sessionId}/stop-journey`;
    case 'update':
      return `${BASE}/location-tracking/journey/updates`;
    case 'live':
      return `${BASE}/location-tracking/journey/live?sessionId=${call.sessionId}`;
  }
}
