import { Writable } from 'node:stream';
import { readConfig } from '../../src/config.js';
import {
  startLocalEventBus,
  type LocalEventBus,
  type ReceivedEvent,
} from '../../src/dev/event-bus/local-event-bus.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { startService } from '../../src/app.js';
import { Api } from './api.js';
import { startClockedRedis } from './clocked-redis.js';
import { runServiceProcess, serviceImage } from './service-process.js';
import { awsEnvironment, testEnvironment } from './service-settings.js';

export interface RunningService {
  api: Api;
  url: string;
  metricsUrl: string;
  bus: LocalEventBus;
  /** The log's lines so far, parsed. */
  logLines(): Record<string, unknown>[];
  /** The events of one session so far, in the order of their arrival. */
  eventsOf(sessionId: string): ReceivedEvent[];
  stop(): Promise<void>;
}

export interface ServiceOptions {
  /** Settings by the names of the environment. */
  settings?: Record<string, string>;
  /** A clock that the test moves, in place of Redis' own. */
  clock?: () => number;
}

/** The whole service with an event bus of its own: in this process, or in a container where an image is tested. */
export async function runService(options: ServiceOptions = {}): Promise<RunningService> {
  const bus = await startLocalEventBus();
  const service = await (serviceImage === undefined
    ? inThisProcess(bus, options)
    : inAContainer(bus, options));
  return {
    ...service,
    bus,
    eventsOf: (sessionId) => bus.received().filter((event) => event.detail['sessionId'] === sessionId),
    stop: async () => {
      await service.stop();
      await bus.stop();
    },
  };
}

type ServiceAlone = Omit<RunningService, 'bus' | 'eventsOf'>;

async function inThisProcess(bus: LocalEventBus, { settings, clock }: ServiceOptions): Promise<ServiceAlone> {
  const aws = awsEnvironment(bus);
  // The SDK reads credentials only from the environment.
  Object.assign(process.env, aws);
  const lines: string[] = [];
  const parsed: Record<string, unknown>[] = [];
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
    // The tests share its event loop.
    stretch: () => 1,
  });
  const url = `http://127.0.0.1:${service.port}`;
  return {
    api: new Api(url),
    url,
    metricsUrl: `http://127.0.0.1:${service.managementPort}/metrics`,
    logLines: () => {
      const added = lines.splice(0);
      parsed.push(...added.map((line) => JSON.parse(line) as Record<string, unknown>));
      return [...parsed];
    },
    stop: () => service.stop(0),
  };
}

async function inAContainer(bus: LocalEventBus, { settings, clock }: ServiceOptions): Promise<ServiceAlone> {
  const environment = testEnvironment(settings);
  const redis = clock && (await startClockedRedis(environment['REDIS_URL'] ?? '', clock));
  const service = await runServiceProcess(bus, { ...environment, ...(redis && { REDIS_URL: redis.url }) });
  return {
    ...service,
    stop: async () => {
      service.kill('SIGTERM');
      const { code } = await service.exited;
      await redis?.stop();
      if (code !== 0) throw new Error(`the service exited with ${code} on SIGTERM`);
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
