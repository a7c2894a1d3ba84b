import type { DevOptions, PreferredPort } from './dev-options.js';
import { Connections } from './load/connections.js';
import { demonstration } from './load/fleet-styles.js';
import { Fleet } from './load/fleet.js';
import { withTokens } from './load/own-sessions.js';
import { ProgressLine } from './load/progress.js';
import { Recorder } from './load/recorder.js';
import { programFromSource, type LocalService } from './local-service.js';
import { LocalStack } from './local-stack.js';
import { apiPage } from './pages/api-page.js';
import { serveLiveMap } from './pages/live-map/live-map-page.js';
import { mapSessions } from './pages/live-map/map-sessions.js';
import { servePage, startPageServer, type PageServer } from './pages/page-server.js';
import { freePort } from './servers/server-process.js';
import {
  insertSampleSessions,
  insertSessions,
  readSampleSessions,
  readUntouchedSession,
  removeSessions,
} from './session-database.js';
import { planSessions, type PlannedSession } from './simulation/simulated-sessions.js';
import { eventLine } from './terminal/event-line.js';
import { readyBlock } from './terminal/ready-block.js';
import { Repeats } from './terminal/repeats.js';
import type { Screen } from './terminal/screen.js';
import { troubleIn } from './terminal/service-log.js';

export interface DevDependencies {
  options: DevOptions;
  screen: Screen;
  /** Called when a part ends that was not stopped. */
  onFailure: (what: string, lastLines: string) => void;
}

/** One drives, and the next one is ready while the student of the first still looks. */
const sessionsPerTrainer = 2;
const startEveryMs = 700;
const statusEveryMs = 500;
const poolSize = 100;

/** Everything that `npm run dev` runs. */
export class DevStack {
  readonly #options: DevOptions;
  readonly #screen: Screen;
  readonly #stack: LocalStack;
  readonly #repeats: Repeats;
  #isStopping = false;

  constructor({ options, screen, onFailure }: DevDependencies) {
    this.#options = options;
    this.#screen = screen;
    const show = (line: string) => {
      screen.show(line);
    };
    this.#repeats = new Repeats(show);
    this.#stack = new LocalStack({
      redisUrl: process.env['REDIS_URL'],
      databaseUrl: process.env['DATABASE_URL'],
      step: (what, work, outcome) => screen.step(what, work, outcome),
      say: show,
      onFailure,
    });
  }

  async start(): Promise<void> {
    const { port, managementPort, pagePort, mapTiles } = this.#options;
    const stack = this.#stack;
    await stack.start();
    const planned = await this.#createSessions();
    const pages = await startPageServer(await freePort(pagePort.port));
    stack.toStop.add(() => pages.stop());
    const service = await this.#startService(pages);
    this.#checkPorts([
      [port, service.port],
      [managementPort, service.managementPort],
      [pagePort, pages.port],
    ]);
    const serviceUrl = `http://localhost:${service.port}`;
    const untouched = await readUntouchedSession(stack.postgres.url);
    const tokens = await stack.tokens.issueFor(untouched);
    const samples = await readSampleSessions(stack.postgres.url);
    const sessions = await mapSessions(samples, planned, stack.tokens);
    serveLiveMap(pages.app, stack.bus, { serviceUrl, tiles: mapTiles, sessions });
    servePage(pages.app, '/api', () => apiPage(serviceUrl, untouched.id, tokens));
    const addresses = {
      service: serviceUrl,
      metrics: `http://localhost:${service.managementPort}/metrics`,
      liveMap: `http://localhost:${pages.port}`,
      apiPage: `http://localhost:${pages.port}/api`,
      redis: stack.redis.shownUrl,
      database: stack.postgres.shownUrl,
      eventBus: stack.bus.url,
    };
    this.#screen.show(readyBlock(addresses, untouched, tokens).join('\n'));
    await this.#simulate(new URL(`http://127.0.0.1:${service.port}`), planned);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#stack.stop();
  }

  async #createSessions(): Promise<PlannedSession[]> {
    const { url, isOwn } = this.#stack.postgres;
    const planned = planSessions(this.#options.journeys * sessionsPerTrainer, Math.random);
    const insert = async () => {
      await insertSampleSessions(url);
      await insertSessions(url, planned);
    };
    await this.#screen.step('creating sessions', insert, () => `samples and ${planned.length} to simulate`);
    const ids = planned.map(({ id }) => id);
    if (!isOwn) this.#stack.toStop.add(() => removeSessions(url, ids));
    return planned;
  }

  #startService(pages: PageServer): Promise<LocalService> {
    const showsAll = Boolean(process.env['LOG_LEVEL']);
    const { port, managementPort } = this.#options;
    const settings = {
      preferredPort: port.port,
      preferredManagementPort: managementPort.port,
      corsOrigins: pages.origins,
      program: programFromSource,
    };
    return this.#stack.startService(settings, (line) => {
      const trouble = troubleIn(line);
      if (showsAll) this.#screen.show(line);
      else if (trouble) this.#repeats.show(trouble.kind, trouble.line);
    });
  }

  /** @throws Error where a port that the user wants is in use */
  #checkPorts(ports: [wanted: PreferredPort, used: number][]): void {
    for (const [{ name, port, isRequired }, used] of ports) {
      if (port === 0 || port === used) continue;
      if (isRequired) throw new Error(`${name}=${port} is in use.`);
      this.#screen.say(`port ${port} is in use: using ${used}`);
    }
  }

  async #simulate(url: URL, planned: PlannedSession[]): Promise<void> {
    const { bus, tokens, toStop, redis } = this.#stack;
    const recorder = new Recorder((fault) => {
      if (!this.#isStopping) this.#repeats.show(fault, `simulated ${fault}`);
    });
    const known = new Map(planned.map((session) => [session.id, session]));
    let events = 0;
    bus.onEvent((event) => {
      events += 1;
      this.#screen.say(eventLine(event, known));
    });
    const progress = new ProgressLine(this.#screen);
    const timer = setInterval(() => {
      progress.show('', recorder, [`${events} events`]);
    }, statusEveryMs);
    const { journeys } = this.#options;
    const connections = new Connections(url.origin, poolSize);
    const sessions = await Promise.all(planned.map((session) => withTokens(session, tokens)));
    const fleet = new Fleet(
      {
        ...{ journeys, seed: Math.floor(Math.random() * 1_000_000), watchShare: 1, style: demonstration },
        rampUpSeconds: (Math.min(journeys, 10) * startEveryMs) / 1_000,
      },
      sessions,
      { url, connections, recorder, watch: 'wait' },
    );
    fleet.start();
    toStop.add(async () => {
      clearInterval(timer);
      this.#screen.clearStatus();
      // In a Redis of the user's own, abandoned journeys would stay for an hour.
      await fleet.stop({ leave: redis.isOwn });
      await connections.close();
    });
  }
}
