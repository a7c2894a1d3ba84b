import { Writable } from 'node:stream';
import { readConfig } from '../../src/config.js';
import {
  startLocalEventBus,
  type LocalEventBus,
  type ReceivedEvent,
} from '../../src/dev/event-bus/local-event-bus.js';
import { createLogger } from '../../src/observability/logger.js';
import { startService } from '../../src/service.js';
import { Api } from './api.js';
import { sharedDatabaseUrl, sharedRedisUrl } from './shared-services.js';
import { SECRET } from './tokens.js';

export interface RunningService {
  api: Api;
  url: string;
  metricsUrl: string;
  bus: LocalEventBus;
  /** The log's lines so far, parsed. */
  logLines(): Record<string, unknown>[];
  /** The events of one session so far, in the order of their arrival. */
  eventsOf(sessionId: string): ReceivedEvent[];
  stop(delayMs?: number): Promise<void>;
}

export interface ServiceOptions {
  /** Settings by the names of the environment. */
  settings?: Record<string, string>;
  /** A clock that the test moves, in place of Redis' own. */
  clock?: () => number;
}

/** The settings of a service of the tests, as an environment. */
export function testEnvironment(settings: Record<string, string> = {}): Record<string, string> {
  return {
    PORT: '0',
    MANAGEMENT_PORT: '0',
    REDIS_URL: sharedRedisUrl(),
    DATABASE_URL: sharedDatabaseUrl(),
    AUTH_JWT_SECRET: SECRET,
    LOG_LEVEL: 'debug',
    SHUTDOWN_DELAY_MS: '0',
    ...settings,
  };
}

/** What the AWS SDK takes from the environment. */
export function awsEnvironment(bus: LocalEventBus): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_EVENTBRIDGE: bus.url,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
}

/** The whole service in this process, on ports of the system's, with an event bus of its own. */
export async function runService({ settings, clock }: ServiceOptions = {}): Promise<RunningService> {
  const bus = await startLocalEventBus();
  const aws = awsEnvironment(bus);
  // The SDK takes its credentials from the process' environment alone.
  Object.assign(process.env, aws);
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(...chunk.toString().split('\n').filter(Boolean));
      done();
    },
  });
  const config = readConfig({ ...testEnvironment(settings), ...aws });
  const service = await startService(config, {
    logger: createLogger(config.logLevel, sink),
    ...(clock && { clock }),
  });
  const url = `http://127.0.0.1:${service.port}`;
  return {
    api: new Api(url),
    url,
    metricsUrl: `http://127.0.0.1:${service.managementPort}/metrics`,
    bus,
    logLines: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
    eventsOf: (sessionId) => bus.received().filter((event) => event.detail['sessionId'] === sessionId),
    stop: async (delayMs = 0) => {
      await service.stop(delayMs);
      await bus.stop();
    },
  };
}

/** The value of one metric, summed over its labels that match; 0 where it has not been counted yet. */
export async function metric(service: { metricsUrl: string }, name: string, labels = ''): Promise<number> {
  const text = await (await fetch(service.metricsUrl)).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith(name) && /[ {]/.test(line.charAt(name.length)) && line.includes(labels))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
