import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Express } from 'express';
import type { Logger } from 'pino';
import type { Config } from './config.js';
import { createHttpApp } from './http/http-app.js';
import { managementListener } from './http/management.js';
import { Authenticator } from './http/middleware/authentication.js';
import { RequestLog } from './http/middleware/request-log.js';
import { LIVE_ROUTE, UPDATES_ROUTE, WAITING_ROUTE } from './http/routes.js';
import { listen } from './http/server.js';
import { withTimeout } from './journeys/errors.js';
import { JourneyService } from './journeys/journey-service.js';
import { rateLimiters } from './journeys/rate-limiter.js';
import { FleetService } from './live/fleet-service.js';
import { LiveReader } from './live/live-reader.js';
import { LiveService } from './live/live-service.js';
import { WatchMarks } from './live/watch-marks.js';
import { createOutbox } from './outbox/create-outbox.js';
import { EventBridgePublisher } from './outbox/event-bridge-publisher.js';
import { ExpirySweeper } from './outbox/expiry-sweeper.js';
import { JourneyExpiries } from './outbox/journey-expiries.js';
import { Relay } from './outbox/relay.js';
import { CachedSessionLookup } from './sessions/session-lookup.js';
import { PostgresSessionRepository } from './sessions/session-repository.js';
import { readBacklog } from './store/backlog.js';
import { redisConnections, type RedisConnections } from './store/connections.js';
import { RedisCheck } from './store/redis-check.js';
import { RedisHistories } from './store/redis-histories.js';
import { RedisJourneyStore } from './store/journey-store.js';
import { EmbeddedMetrics } from './telemetry/embedded-metrics.js';
import { LoadMonitor } from './telemetry/load-monitor.js';
import { createLogger } from './telemetry/logger.js';
import { Metrics } from './telemetry/metrics.js';
import { expiryRecorder } from './telemetry/expiry-recorder.js';
import { redisRecorder } from './telemetry/redis-recorder.js';
import { relayRecorder } from './telemetry/relay-recorder.js';

export interface Service {
  port: number;
  managementPort: number;
  logger: Logger;
  /** Ready says no at once; the listener stays open for delayMs; then everything is finished and closed, within 20 s. */
  stop(delayMs: number): Promise<void>;
}

/** Set by tests only. */
export interface Overrides {
  /** Milliseconds since the epoch instead of Redis' clock. */
  clock?: () => number;
  logger?: Logger;
  /** Instead of the load monitor's: see live/cadence.ts. */
  stretch?: () => number;
}

const REQUESTS_GRACE_MS = 5_000;
const EVENTS_GRACE_MS = 3_000;
const POSTGRES_CLOSE_TIMEOUT_MS = 1_000;

/** Builds and connects everything, and listens. @throws if a port is in use */
export async function startService(config: Config, overrides: Overrides = {}): Promise<Service> {
  const parts = build(config, overrides);
  const { logger, redis, redisCheck, sessions, metrics, relay, sweeper, loadMonitor } = parts;
  const state = { isDraining: false };
  const app = buildHttpApp(config, parts, state);
  // Postgres too, so that the first start finds a connection; the service also works without.
  await Promise.all([redis.connect(), sessions.connect().catch(() => undefined)]);
  await redisCheck.start();
  const server = await listen(app, config.port);
  const management = await listen(managementListener(metrics), config.managementPort);
  relay.start();
  sweeper.start();
  loadMonitor.start();
  parts.embeddedMetrics.start();
  logger.info({ port: server.port, managementPort: management.port, pid: process.pid }, 'listening');

  const stop = async (delayMs: number): Promise<void> => {
    state.isDraining = true;
    logger.info({ delayMs }, 'draining');
    await sleep(delayMs);
    parts.live.releaseAll();
    await server.close(REQUESTS_GRACE_MS);
    loadMonitor.stop();
    redisCheck.stop();
    await Promise.all([sweeper.stop(), relay.stop(EVENTS_GRACE_MS)]);
    await parts.embeddedMetrics.stop();
    redis.disconnect();
    await Promise.all([
      withTimeout(POSTGRES_CLOSE_TIMEOUT_MS, 'postgres', sessions.close()).catch(() => undefined),
      management.close(0),
    ]);
    logger.info('stopped');
  };
  return { port: server.port, managementPort: management.port, logger, stop };
}

/** Constructs everything; connects and starts nothing. */
function build(config: Config, overrides: Overrides) {
  const { clock } = overrides;
  const logger = overrides.logger ?? createLogger(config.logLevel);
  const redis = connectRedis(config, logger);
  const { commandTimeoutMs } = config.redis;
  const metrics = new Metrics(() =>
    withTimeout(commandTimeoutMs, 'redis', readBacklog(redis.redis, redis.partitions)),
  );
  const sessions = connectSessions(config, logger, metrics);
  const onReport = redisRecorder(logger, metrics);
  const redisCheck = new RedisCheck({ connections: redis, commandTimeoutMs, onReport });
  const isForbidden = () => redisCheck.isForbidden;
  const observers = { logger, metrics, clock, isForbidden };
  const store = buildStore(config, redis, observers);
  const observe = metrics.redisCalled.bind(metrics);
  const histories = new RedisHistories({ ...redis, commandTimeoutMs, clock, observe });
  const loadMonitor = new LoadMonitor();
  const stretch = overrides.stretch ?? (() => loadMonitor.stretch);
  const limits = rateLimiters();
  const journeys = new JourneyService({ store, sessions, histories, ...limits, observer: metrics, stretch });
  const { guesses } = limits;
  const lookup = new CachedSessionLookup({ ...redis, repository: sessions, commandTimeoutMs, guesses });
  const cadence = () => ({ updateIntervalMs: config.rules.updateIntervalMs, stretch: stretch() });
  const reader = new LiveReader({
    store,
    sessions: lookup,
    guesses,
    observer: metrics,
    staleEvents: config.reportStaleLocations,
    cadence,
  });
  const monotonicMs = clock ?? (() => performance.now());
  const marks = new WatchMarks(histories);
  const live = new LiveService({ reader, changes: redis.changes, marks, guesses, cadence, monotonicMs });
  const fleet = new FleetService({ store, histories, cadence, limits: config.rules });
  metrics.gaugeWaiting(() => live.waiting);
  metrics.gaugeStretch(stretch);
  const relay = buildRelay(config, redis, observers);
  const expiries = new JourneyExpiries({ ...redis, clock });
  const sweeper = new ExpirySweeper({ expiries, isForbidden, ...expiryRecorder(logger, metrics) });
  const embeddedMetrics = new EmbeddedMetrics(metrics, config.embeddedMetricsNamespace);
  return {
    ...{ logger, redis, redisCheck, metrics, sessions, store, journeys, live, fleet },
    ...{ relay, sweeper, loadMonitor, embeddedMetrics },
  };
}

type Parts = ReturnType<typeof build>;

function buildHttpApp(config: Config, parts: Parts, state: { isDraining: boolean }): Express {
  const { logger, metrics, redis, redisCheck, sessions, journeys, live, fleet } = parts;
  const requestLog = new RequestLog({
    logger,
    sampledRoutes: new Set([UPDATES_ROUTE, LIVE_ROUTE, WAITING_ROUTE]),
    quietRoutes: new Set(['/health/live', '/health/ready']),
  });
  const isDraining = () => state.isDraining;
  return createHttpApp({
    journeys,
    live,
    fleet,
    authenticator: new Authenticator(config.auth),
    rules: config.rules,
    isDraining,
    health: {
      wasRedisReached: () => redisCheck.wasReached,
      pingRedis: () => withTimeout(config.redis.commandTimeoutMs, 'redis', redis.ping()),
      hasRedisRights: () => redisCheck.hasRights(),
      pingPostgres: () => sessions.ping(),
      isDraining,
    },
    corsOrigins: config.corsOrigins,
    trustedProxies: config.trustedProxies,
    onCompleted: (request) => {
      metrics.requestAnswered(request.method, request.route, request.status, request.seconds);
      requestLog.completed(request);
    },
    logger,
  });
}

function connectRedis(config: Config, logger: Logger): RedisConnections {
  return redisConnections({
    settings: config.redis,
    rules: config.rules,
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

interface Observers {
  logger: Logger;
  metrics: Metrics;
  clock: (() => number) | undefined;
  /** Whether a script could fail after its first write. */
  isForbidden: () => boolean;
}

function buildStore(
  config: Config,
  { redis, lifecycle, partitions }: RedisConnections,
  { logger, metrics, clock, isForbidden }: Observers,
): RedisJourneyStore {
  return new RedisJourneyStore({
    redis,
    lifecycle,
    partitions,
    rules: config.rules,
    commandTimeoutMs: config.redis.commandTimeoutMs,
    clock,
    isForbidden,
    observe: metrics.redisCalled.bind(metrics),
    onHealed: (key) => {
      logger.error({ key }, 'unreadable location overwritten');
    },
  });
}

function buildRelay(config: Config, connections: RedisConnections, { logger, metrics }: Observers): Relay {
  const observer = relayRecorder(logger, metrics);
  const consumer = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  return new Relay({
    outbox: createOutbox({ connections, consumer, onPartlyUnavailable: observer.outboxUnavailable }),
    publisher: new EventBridgePublisher(config.eventBridge),
    observer,
  });
}
