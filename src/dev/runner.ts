import { givenOrLocal, type AvailableServer, type ServerKind } from './available-server.js';
import { startLocalEventBus, type LocalEventBus } from './event-bus/local-event-bus.js';
import { programFromSource, startLocalService, type LocalService } from './local-service.js';
import { apiPage } from './pages/api-page.js';
import { serveLiveMap } from './pages/live-map/live-map-page.js';
import { mapSessions } from './pages/live-map/map-sessions.js';
import { servePage, startPageServer, type PageServer } from './pages/page-server.js';
import {
  createSchema,
  insertSampleSessions,
  insertSessions,
  readSampleSessions,
  readUntouchedSession,
  removeSessions,
} from './session-database.js';
import { answersQuery, startLocalPostgres } from './servers/local-postgres.js';
import { answersPing, startLocalRedis } from './servers/local-redis.js';
import type { Reaper } from './servers/reaper.js';
import { JourneyCalls } from './simulation/journey-calls.js';
import { planSessions, type PlannedSession } from './simulation/simulated-sessions.js';
import { startSimulator } from './simulation/simulator.js';
import { Tally } from './simulation/tally.js';
import { StopList } from './stop-list.js';
import type { RunnerOptions } from './terminal/command-line.js';
import { eventLine, startStatus } from './terminal/life.js';
import { readyBlock } from './terminal/ready-block.js';
import { Repeats } from './terminal/repeats.js';
import type { Screen } from './terminal/screen.js';
import { troubleIn } from './terminal/service-log.js';
import { TokenIssuer, type ReadyTokens } from './tokens.js';

export interface RunnerDependencies {
  options: RunnerOptions;
  screen: Screen;
  reaper: Reaper;
  /** Told when a part ends that should not. */
  onFailure: (what: string, lastLines: string) => void;
}

const sessionsPerTrainer = 2;

/** Everything that `npm run dev` starts, in order, and stops in the opposite one. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #screen: Screen;
  readonly #with: RunnerDependencies;
  readonly #tokens = new TokenIssuer();
  readonly #tally = new Tally();
  readonly #repeats: Repeats;
  readonly #toStop: StopList;
  #isStopping = false;

  constructor(dependencies: RunnerDependencies) {
    this.#with = dependencies;
    this.#options = dependencies.options;
    this.#screen = dependencies.screen;
    const show = (line: string) => {
      this.#screen.show(line);
    };
    this.#repeats = new Repeats(show);
    this.#toStop = new StopList(show);
  }

  async start(): Promise<void> {
    const redis = await this.#server('Redis', process.env['REDIS_URL'], {
      start: startLocalRedis,
      isReady: answersPing,
    });
    const postgres = await this.#server('Postgres', process.env['DATABASE_URL'], {
      start: startLocalPostgres,
      isReady: answersQuery,
    });
    const sessions = await this.#sessions(postgres);
    const bus = await startLocalEventBus();
    this.#onStop(() => bus.stop());
    const pages = await startPageServer(this.#options.preferredPagePort);
    this.#onStop(() => pages.stop());
    const untouched = await readUntouchedSession(postgres.url);
    const tokens = await this.#tokens.issueFor(untouched);
    const service = await this.#service({ redis, postgres, bus, pages, tokens });
    serveLiveMap(pages.app, bus, {
      serviceUrl: `http://localhost:${service.port}`,
      tiles: this.#options.mapTiles,
      sessions: await mapSessions(await readSampleSessions(postgres.url), sessions.flat(), this.#tokens),
    });
    servePage(pages.app, '/api', () => apiPage(`http://localhost:${service.port}`, untouched.id, tokens));
    this.#sayWherePortsWereTaken(service, pages);
    const addresses = {
      service: `http://localhost:${service.port}`,
      metrics: `http://localhost:${service.managementPort}/metrics`,
      liveMap: `http://localhost:${pages.port}`,
      apiPage: `http://localhost:${pages.port}/api`,
      redis: redis.shownUrl,
      database: postgres.shownUrl,
      eventBus: bus.url,
    };
    this.#screen.show(readyBlock(addresses, untouched, tokens).join('\n'));
    this.#showLife(bus, sessions.flat());
    await this.#simulate(service, sessions, redis.isOurs);
  }

  /** Everything that was started so far, the newest first. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#toStop.stopAll();
  }

  #onStop(stop: () => Promise<void>): void {
    this.#toStop.add(stop);
  }

  async #server(name: string, givenUrl: string | undefined, kind: ServerKind): Promise<AvailableServer> {
    const { screen, reaper } = this.#with;
    const server = await givenOrLocal(name, givenUrl, kind, { screen, reaper });
    this.#onStop(() => server.stop());
    if (server.isOurs) this.#mustLast(name, server.ended);
    return server;
  }

  #mustLast(name: string, ended: Promise<string>): void {
    void ended.then((lastLines) => {
      if (!this.#isStopping) this.#with.onFailure(`${name} ended unexpectedly.`, lastLines);
    });
  }

  async #sessions({ url, isOurs }: AvailableServer): Promise<PlannedSession[][]> {
    const sessions = planSessions(this.#options.journeys, sessionsPerTrainer, Math.random);
    const all = sessions.flat();
    await this.#screen.step(
      'creating sessions',
      async () => {
        await createSchema(url);
        await insertSampleSessions(url);
        await insertSessions(url, all);
      },
      () => `the samples and ${all.length} to simulate`,
    );
    if (!isOurs) {
      const ids = all.map(({ id }) => id);
      this.#onStop(() => removeSessions(url, ids));
    }
    return sessions;
  }

  async #service(parts: {
    redis: AvailableServer;
    postgres: AvailableServer;
    bus: LocalEventBus;
    pages: PageServer;
    tokens: ReadyTokens;
  }): Promise<LocalService> {
    const { reaper } = this.#with;
    const showsAll = Boolean(process.env['LOG_LEVEL']);
    const onLogLine = (line: string) => {
      const trouble = troubleIn(line);
      if (showsAll) this.#screen.show(line);
      else if (trouble) this.#repeats.tell(trouble.kind, trouble.line);
    };
    const settings = {
      ...this.#options,
      redisUrl: parts.redis.url,
      databaseUrl: parts.postgres.url,
      eventBusUrl: parts.bus.url,
      jwtSecret: this.#tokens.secret,
      corsOrigins: parts.pages.origins,
      program: programFromSource,
    };
    const start = () => startLocalService(settings, { reaper, onLogLine, token: parts.tokens.admin });
    const service = await this.#screen.step('starting the service', start, ({ port }) => `port ${port}`);
    this.#onStop(() => service.process.stop());
    this.#mustLast(
      'The service',
      service.process.ended.then(() => service.process.lastOutput()),
    );
    return service;
  }

  #sayWherePortsWereTaken(service: LocalService, pages: PageServer): void {
    const { preferredPort, preferredManagementPort, preferredPagePort } = this.#options;
    const ports = [
      [preferredPort, service.port],
      [preferredManagementPort, service.managementPort],
      [preferredPagePort, pages.port],
    ] as const;
    for (const [preferred, taken] of ports) {
      if (preferred === 0 || preferred === taken) continue;
      this.#screen.tell(`port ${preferred} is taken: using ${taken}`);
    }
  }

  #showLife(bus: LocalEventBus, sessions: PlannedSession[]): void {
    const known = new Map(sessions.map((session) => [session.id, session]));
    bus.onEvent((event) => {
      this.#tally.events += 1;
      this.#screen.tell(eventLine(event, known));
    });
    const endStatus = startStatus(this.#screen, this.#tally);
    this.#onStop(() => {
      endStatus();
      return Promise.resolve();
    });
  }

  async #simulate(service: LocalService, planned: PlannedSession[][], redisIsOurs: boolean): Promise<void> {
    const withTokens = async (session: PlannedSession) => {
      const [trainerToken, studentToken] = await Promise.all([
        this.#tokens.issue(session.trainerId, 'trainer'),
        this.#tokens.issue(session.studentId, 'student'),
      ]);
      return { ...session, trainerToken, studentToken };
    };
    const sessions = await Promise.all(planned.map((ofTrainer) => Promise.all(ofTrainer.map(withTokens))));
    const simulator = startSimulator(sessions, {
      calls: new JourneyCalls(`http://127.0.0.1:${service.port}`),
      tally: this.#tally,
      random: Math.random,
      complain: (line) => {
        if (!this.#isStopping) this.#repeats.tell(line, `simulated ${line}`);
      },
    });
    // In a Redis of the user's own, journeys that nobody drives any more would stay for an hour.
    this.#onStop(() => simulator.stop(!redisIsOurs));
  }
}
