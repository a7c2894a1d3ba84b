import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { RequestListener } from 'node:http';
import type { Logger } from 'pino';
import type { Config } from './config.js';
import { ExpirySweeper } from './outbox/expiry-sweeper.js';
import { EventBridgePublisher } from './outbox/event-bridge-publisher.js';
import { createOutbox } from './outbox/create-outbox.js';
import { READ_WAIT_MS, Relay } from './outbox/relay.js';
import { createApp } from './http/http-app.js';
import { Authenticator } from './http/middleware/authentication.js';
import { LISTENING_SOCKETS } from './http/listening.js';
import { managementListener } from './http/management.js';
import { RequestLog } from './http/middleware/request-log.js';
import { listen } from './http/server.js';
import { rateLimiters } from './journeys/rate-limiter.js';
import { withTimeout } from './journeys/errors.js';
import { JourneyService } from './journeys/journey-service.js';
import { CachedSessionLookup } from './sessions/session-lookup.js';
import { LiveService } from './live/live-service.js';
import { LoadMonitor } from './telemetry/load-monitor.js';
import { EmbeddedMetrics } from './telemetry/embedded-metrics.js';
import { createLogger } from './telemetry/logger.js';
import { Metrics } from './telemetry/metrics.js';
import { relayRecorder } from './telemetry/relay-recorder.js';
import { PostgresSessionRepository } from './sessions/session-repository.js';
import { readBacklog } from './store/backlog.js';
import { redisConnections, type RedisConnections } from './store/connections.js';
import { JourneyExpiries } from './outbox/journey-expiries.js';
import { RedisJourneyStore } from './store/journey-store.js';

export interface Service {
  port: number;
  managementPort: number;
  logger: Logger;
  /** Ready says no from now on; the listener stays open for delayMs, then all is finished and closed, within 20 s more. */
  stop(delayMs: number): Promise<void>;
}

/** What tests set and production does not. */
export interface Overrides {
  /** Milliseconds since the epoch instead of Redis' own clock. */
  clock?: () => number;
  logger?: Logger;
  /** Instead of by how busy this process is: how far phones are put off, see cadence.ts. */
  stretch?: () => number;
}

/** What requests in flight get after the delay, and then events that are being published. */
const REQUESTS_GRACE_MS = 5_000;
const EVENTS_GRACE_MS = 3_000;

/** Builds everything, connects and listens. @throws where a port is taken */
export async function startService(config: Config, overrides: Overrides = {}): Promise<Service> {
  const logger = overrides.logger ?? createLogger(config.logLevel);
  const state = connectState(config, logger);
  const { redis, partitions } = state;
  const metrics = new Metrics(() =>
    withTimeout(config.redis.commandTimeoutMs, 'redis', readBacklog(redis, partitions)),
  );
  const sessions = connectSessions(config, logger, metrics);
  const busyness = new LoadMonitor();
  const embeddedMetrics = new EmbeddedMetrics(metrics, config.embeddedMetricsNamespace);
  const built = { logger, metrics, sessions, busyness, state };
  const { journeys, live, store } = buildJourneys(config, overrides, built);
  const background = buildBackground(config, overrides, built);
  const stage = { isDraining: false };
  const app = buildApp(config, { ...built, journeys, live, store, stage });
  // Postgres too, so that the first start does not wait for a connection; a service without it is of use all the same.
  await Promise.all([state.connect(), sessions.connect().catch(() => undefined)]);
  const server = await listen(app, config.port, LISTENING_SOCKETS);
  const management = await listen(managementListener(metrics), config.managementPort);
  background.relay.start();
  background.sweeper.start();
  busyness.start();
  embeddedMetrics.start();
  logger.info({ port: server.port, managementPort: management.port, pid: process.pid }, 'listening');

  const stop = async (delayMs: number): Promise<void> => {
    stage.isDraining = true;
    logger.info({ delayMs }, 'draining');
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    live.releaseAll();
    await server.close(REQUESTS_GRACE_MS);
    busyness.stop();
    await Promise.all([background.sweeper.stop(), background.relay.stop(EVENTS_GRACE_MS)]);
    await embeddedMetrics.stop();
    state.disconnect();
    await Promise.all([
      withTimeout(1_000, 'postgres', sessions.close()).catch(() => undefined),
      management.close(0),
    ]);
    logger.info('stopped');
  };
  return { port: server.port, managementPort: management.port, logger, stop };
}

function buildApp(
  config: Config,
  built: Built & {
    sessions: PostgresSessionRepository;
    journeys: JourneyService;
    live: LiveService;
    store: RedisJourneyStore;
    stage: { isDraining: boolean };
  },
): RequestListener {
  const { logger, metrics, state, sessions, journeys, live, store, stage } = built;
  const requestLog = new RequestLog(logger);
  return createApp({
    journeys,
    live,
    authenticator: new Authenticator(config.auth),
    rules: config.rules,
    isDraining: () => stage.isDraining,
    health: {
      pingRedis: () => withTimeout(config.redis.commandTimeoutMs, 'redis', state.ping()),
      pingPostgres: () => sessions.ping(),
      isDraining: () => stage.isDraining,
    },
    corsOrigins: config.corsOrigins,
    trustedProxies: config.trustedProxies,
    onAnswered: (request) => {
      metrics.requestAnswered(request.method, request.route, request.status, request.seconds);
      requestLog.answered(request);
    },
    load: {
      waitingForRedis: () => store.underWay,
      onShed: () => {
        metrics.requestShed();
      },
    },
    logger,
  });
}

function connectState(config: Config, logger: Logger): RedisConnections {
  return redisConnections({
    settings: config.redis,
    rules: config.rules,
    readWaitMs: READ_WAIT_MS,
    onError: (connection) => (error) => {
      logger.warn({ connection, err: error }, 'redis connection failed');
    },
  });
}

function connectSessions(config: Config, logger: Logger, metrics: Metrics): PostgresSessionRepository {
  return new PostgresSessionRepository({
    ...config.postgres,
    observe: (seconds, succeeded) => {
      metrics.postgresQueried(seconds, succeeded);
    },
    onError: (error) => {
      logger.warn({ err: error }, 'postgres connection failed');
    },
    onUnreadableHome: (sessionId) => {
      logger.error({ sessionId }, 'student_home_location unreadable');
    },
  });
}

interface Built {
  state: RedisConnections;
  logger: Logger;
  metrics: Metrics;
}

function buildJourneys(
  config: Config,
  { clock, stretch = () => built.busyness.stretch }: Overrides,
  built: Built & { sessions: PostgresSessionRepository; busyness: LoadMonitor },
): { journeys: JourneyService; live: LiveService; store: RedisJourneyStore } {
  const { logger, metrics, state, sessions } = built;
  const { redis, lifecycle, partitions, changes } = state;
  const { commandTimeoutMs } = config.redis;
  const store = new RedisJourneyStore({
    redis,
    lifecycle,
    partitions,
    rules: config.rules,
    commandTimeoutMs,
    clock,
    observe: (operation, seconds, succeeded) => {
      metrics.redisCalled(operation, seconds, succeeded);
    },
    onHealed: (key) => {
      logger.error({ key }, 'a stored location could not be read and was written anew');
    },
  });
  const { starts, guesses } = rateLimiters();
  const directory = new CachedSessionLookup({
    repository: sessions,
    redis,
    partitions,
    commandTimeoutMs,
    guesses,
  });
  const { updateIntervalMs } = config.rules;
  const cadence = () => ({ updateIntervalMs, stretch: stretch() });
  const live = new LiveService({
    store,
    directory,
    guesses,
    changes,
    observer: metrics,
    tellsStaleLocations: config.reportStaleLocations,
    cadence,
    monotonicMs: clock ?? (() => performance.now()),
  });
  metrics.gaugeWaiting(() => live.waiting);
  metrics.gaugeStretch(stretch);
  const called = { store, sessions, starts, guesses, observer: metrics, stretch };
  return { journeys: new JourneyService(called), live, store };
}

function buildBackground(config: Config, { clock }: Overrides, { logger, metrics, state }: Built) {
  const observer = relayRecorder(logger, metrics);
  const consumer = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  const relay = new Relay({
    outbox: createOutbox({ connections: state, consumer, onPartlyUnavailable: observer.outboxUnavailable }),
    publisher: new EventBridgePublisher(config.eventBridge),
    observer,
  });
  const { redis, partitions } = state;
  const sweeper = new ExpirySweeper({
    expiries: new JourneyExpiries({ redis, partitions, clock }),
    onExpired: (count) => {
      metrics.journeysExpired(count);
    },
    onUntracked: (sessionId) => {
      logger.error({ sessionId }, 'expired journey unreadable; no event');
    },
    onError: (error) => {
      logger.warn({ err: error }, 'sweep failed');
    },
  });
  return { relay, sweeper };
}
