import { startLocalEventBus, type LocalEventBus } from './event-bus/local-event-bus.js';
import { startLocalService, type LocalServiceSettings } from './local-service.js';
import { answersQuery, startLocalPostgres } from './servers/local-postgres.js';
import { answersPing, startLocalRedis } from './servers/local-redis.js';
import { startReaper } from './servers/reaper.js';
import type { LocalServer, LocalServerOptions, ServerProcess } from './servers/server-process.js';
import { createSchema, untouchedSessionId } from './session-database.js';
import { StopList } from './stop-list.js';
import { onlyTrouble } from './terminal/service-log.js';
import { TokenIssuer } from './tokens.js';

/** A server of the stack. */
export interface StackServer {
  url: string;
  /** Without a password of the user's own. */
  shownUrl: string;
  /** Undefined where it is in a container, or was given. */
  pid: number | undefined;
  /** Started for this stack, so that its data end with it. */
  isOwn: boolean;
}

export interface LocalStackOptions {
  /** Servers to use instead of throw-away ones. */
  redisUrl?: string | undefined;
  databaseUrl?: string | undefined;
  /** Runs each step; a caller can show what it is and how long it takes. */
  step: <Result>(
    what: string,
    work: () => Promise<Result>,
    outcome: (result: Result) => string,
  ) => Promise<Result>;
  say: (line: string) => void;
  /** Of the service; else only its warnings and errors. */
  showsWholeLog?: boolean;
  /** Called when a part ends that was not stopped. */
  onFailure: (what: string, lastLines: string) => void;
}

type ServiceOptions = Pick<LocalServiceSettings, 'program' | 'port' | 'managementPort' | 'corsOrigins'>;

/** Redis, Postgres with the schema, an event bus, and as many services on them as are started. */
export class LocalStack {
  readonly tokens = new TokenIssuer();
  /** Whatever is added is stopped before the servers that it uses. */
  readonly toStop: StopList;
  readonly #options: LocalStackOptions;
  readonly #reaper = startReaper();
  #isStopping = false;
  #parts: { redis: StackServer; postgres: StackServer; bus: LocalEventBus } | undefined;

  constructor(options: LocalStackOptions) {
    this.#options = options;
    this.toStop = new StopList(options.say);
  }

  get redis(): StackServer {
    return this.#started.redis;
  }

  get postgres(): StackServer {
    return this.#started.postgres;
  }

  get bus(): LocalEventBus {
    return this.#started.bus;
  }

  async start(): Promise<void> {
    const { redisUrl, databaseUrl } = this.#options;
    const redis = await this.#server('Redis', redisUrl, startLocalRedis, answersPing);
    const postgres = await this.#server('Postgres', databaseUrl, startLocalPostgres, answersQuery);
    await createSchema(postgres.url);
    const bus = await startLocalEventBus();
    this.toStop.add(() => bus.stop());
    this.#parts = { redis, postgres, bus };
  }

  async startService(options: ServiceOptions): Promise<ServerProcess> {
    const settings: LocalServiceSettings = {
      ...options,
      ...{ redisUrl: this.redis.url, databaseUrl: this.postgres.url, eventBusUrl: this.bus.url },
      jwtSecret: this.tokens.secret,
    };
    const token = await this.tokens.issue(untouchedSessionId, 'admin');
    const { step, say, showsWholeLog = false } = this.#options;
    const onLogLine = showsWholeLog ? say : onlyTrouble(say);
    const service = await step(
      'starting the service',
      () => startLocalService(settings, { reaper: this.#reaper, onLogLine, token }),
      () => `port ${options.port}`,
    );
    this.toStop.add(() => service.stop());
    void service.ended.then(() => {
      this.#ended('The service', service.lastOutput());
    });
    return service;
  }

  /** Stops everything, the newest first. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.toStop.stopAll();
    this.#reaper.close();
  }

  get #started() {
    if (this.#parts === undefined) throw new Error('The stack is not started.');
    return this.#parts;
  }

  async #server(
    name: string,
    givenUrl: string | undefined,
    start: (options: LocalServerOptions) => Promise<LocalServer>,
    isReady: (url: string) => Promise<void>,
  ): Promise<StackServer> {
    const { step, say } = this.#options;
    const shownUrl = 'yours, from the environment';
    if (givenUrl) {
      const check = () =>
        isReady(givenUrl).catch((error: unknown) => {
          throw new Error(`The given ${name} does not answer: ${reasonOf(error)}`);
        });
      await step(`checking ${name}`, check, () => shownUrl);
      return { url: givenUrl, shownUrl, pid: undefined, isOwn: false };
    }
    const server = await step(
      `starting ${name}`,
      () => start({ reaper: this.#reaper, say }),
      ({ means }) => means,
    );
    this.toStop.add(() => server.stop());
    void server.ended.then((lastLines) => {
      this.#ended(name, lastLines);
    });
    return { url: server.url, shownUrl: server.url, pid: server.pid, isOwn: true };
  }

  #ended(name: string, lastLines: string): void {
    if (!this.#isStopping) this.#options.onFailure(`${name} ended unexpectedly.`, lastLines);
  }
}

/** Node puts the errors of a host's addresses into an AggregateError without a message. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  if (error instanceof Error && error.cause !== undefined) return reasonOf(error.cause);
  return error instanceof Error ? error.message : String(error);
}
