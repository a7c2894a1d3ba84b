import { randomUUID } from 'node:crypto';
import type { DevOptions, PreferredPort } from './dev-options.js';
import { openPool } from './load/connections.js';
import { demonstration } from './load/fleet-styles.js';
import { Fleet } from './load/fleet.js';
import { insertOwnSessions, withTokens } from './load/own-sessions.js';
import { ProgressLine } from './load/progress.js';
import { Recorder } from './load/recorder.js';
import { ownProgram } from './local-service.js';
import { LocalStack } from './local-stack.js';
import { apiPage } from './pages/api-page.js';
import { serveLiveMap } from './pages/live-map/live-map-page.js';
import { mapSessions } from './pages/live-map/map-sessions.js';
import { startPageServer } from './pages/page-server.js';
import { freePort } from './servers/server-process.js';
import { insertSampleSessions, readSampleSessions, untouchedSessionId } from './session-database.js';
import { planSessions, type PlannedSession } from './simulation/simulated-sessions.js';
import { eventLine } from './terminal/event-line.js';
import { readyBlock } from './terminal/ready-block.js';
import { Repeats } from './terminal/repeats.js';
import type { Screen } from './terminal/screen.js';

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

/** Everything that `npm run dev` runs. */
export class DevStack {
  readonly #options: DevOptions;
  readonly #screen: Screen;
  readonly #stack: LocalStack;
  #isStopping = false;

  constructor({ options, screen, onFailure }: DevDependencies) {
    this.#options = options;
    this.#screen = screen;
    this.#stack = new LocalStack({
      redisUrl: process.env['REDIS_URL'],
      databaseUrl: process.env['DATABASE_URL'],
      showsWholeLog: Boolean(process.env['LOG_LEVEL']),
      step: (what, work, outcome) => screen.step(what, work, outcome),
      say: screen.show.bind(screen),
      onFailure,
    });
  }

  async start(): Promise<void> {
    const port = await this.#choosePort(this.#options.port);
    const managementPort = await this.#choosePort(this.#options.managementPort);
    const pagePort = await this.#choosePort(this.#options.pagePort);
    const stack = this.#stack;
    await stack.start();
    const planned = await this.#createSessions();
    const pages = await startPageServer(pagePort);
    stack.toStop.add(() => pages.stop());
    const program = ownProgram;
    await stack.startService({ port, managementPort, corsOrigins: pages.origins, program });
    const serviceUrl = `http://localhost:${port}`;
    const samples = await readSampleSessions(stack.postgres.url);
    const untouched = samples.find(({ id }) => id === untouchedSessionId);
    if (!untouched?.home) throw new Error(`The database has no session ${untouchedSessionId} with a home.`);
    const admin = await stack.tokens.issue(randomUUID(), 'admin');
    const tokens = { ...(await stack.tokens.issueFor(untouched)), admin };
    const sessions = await mapSessions(samples, planned, stack.tokens);
    const settings = { serviceUrl, adminToken: admin, tiles: this.#options.mapTiles, sessions };
    serveLiveMap(pages.app, stack.bus, settings);
    pages.app.get('/api', (_request, response) => {
      response.set('cache-control', 'no-store').send(apiPage(serviceUrl, untouched.id, tokens));
    });
    const addresses = {
      service: serviceUrl,
      metrics: `http://localhost:${managementPort}/metrics`,
      liveMap: `http://localhost:${pagePort}`,
      apiPage: `http://localhost:${pagePort}/api`,
      redis: stack.redis.shownUrl,
      database: stack.postgres.shownUrl,
      eventBus: stack.bus.url,
    };
    const { id, home } = untouched;
    this.#screen.show(readyBlock(addresses, { id, home }, tokens).join('\n'));
    await this.#simulate(new URL(`http://127.0.0.1:${port}`), planned);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#stack.stop();
  }

  /** @throws Error where a port that the user has set is in use */
  async #choosePort({ name, port, isRequired }: PreferredPort): Promise<number> {
    const free = await freePort(port);
    if (port === 0 || port === free) return free;
    if (isRequired) throw new Error(`${name}=${port} is in use.`);
    this.#screen.show(`port ${port} is in use: using ${free}`);
    return free;
  }

  async #createSessions(): Promise<PlannedSession[]> {
    const { toStop, postgres } = this.#stack;
    const planned = planSessions(this.#options.journeys * sessionsPerTrainer, Math.random);
    const insert = async () => {
      await insertSampleSessions(postgres.url);
      await insertOwnSessions(postgres.url, planned, toStop);
    };
    await this.#screen.step('creating sessions', insert, () => `samples and ${planned.length} to simulate`);
    return planned;
  }

  async #simulate(url: URL, planned: PlannedSession[]): Promise<void> {
    const { bus, tokens, toStop, redis } = this.#stack;
    const repeats = new Repeats(this.#screen.show.bind(this.#screen));
    const recorder = new Recorder((fault) => {
      if (!this.#isStopping) repeats.show(fault, `simulated ${fault}`);
    });
    const known = new Map(planned.map((session) => [session.id, session]));
    let events = 0;
    bus.onEvent((event) => {
      events += 1;
      this.#screen.show(eventLine(event, known));
    });
    const progress = new ProgressLine(this.#screen);
    const timer = setInterval(() => {
      progress.show('', recorder, [`${events} events`]);
    }, statusEveryMs);
    const { journeys } = this.#options;
    const pool = openPool(url);
    const sessions = await Promise.all(planned.map((session) => withTokens(session, tokens)));
    const fleet = new Fleet(
      {
        ...{ journeys, seed: Math.floor(Math.random() * 1_000_000), style: demonstration },
        rampUpSeconds: (Math.min(journeys, 10) * startEveryMs) / 1_000,
      },
      sessions,
      { url, pool, recorder, watch: 'wait' },
    );
    fleet.start();
    toStop.add(async () => {
      clearInterval(timer);
      this.#screen.clearStatus();
      // In a Redis of the user's own, abandoned journeys would stay for an hour.
      await fleet.stop({ leave: redis.isOwn });
      await pool.destroy();
    });
  }
}
