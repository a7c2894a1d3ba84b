import type { ReceivedEvent } from '../../src/dev/event-bus/local-event-bus.js';
import { putIntoOutbox } from '../support/outbox-entry.js';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { runService, type RunningService } from '../support/running-service.js';
import { until } from '../support/until.js';

/** A service and a Redis of a test's own, because it waits until the outbox is empty. */
export class OwnService {
  readonly #redis: PrivateRedis;
  readonly service: RunningService;

  private constructor(redis: PrivateRedis, service: RunningService) {
    this.#redis = redis;
    this.service = service;
  }

  static async start(settings: Record<string, string> = {}): Promise<OwnService> {
    const redis = await startPrivateRedis();
    const service = await runService({ settings: { REDIS_URL: redis.url, ...settings } });
    return new OwnService(redis, service);
  }

  get redis(): PrivateRedis['client'] {
    return this.#redis.client;
  }

  /** Puts an event into the outbox. Returns its session. */
  put(fields?: Record<string, string>): Promise<string> {
    return putIntoOutbox(this.redis, fields);
  }

  putMany(count: number): Promise<string[]> {
    return Promise.all(Array.from({ length: count }, () => this.put()));
  }

  published(sessionId: string, count = 1): Promise<ReceivedEvent[]> {
    return until(
      `${count} events`,
      () => {
        const events = this.service.eventsOf(sessionId);
        return events.length >= count && events;
      },
      20_000,
    );
  }

  async everythingPublished(): Promise<void> {
    await until('the outbox is empty', async () => (await this.redis.xlen('journey:outbox')) === 0, 25_000);
  }

  async stop(): Promise<void> {
    await this.service.stop();
    await this.#redis.stop();
  }
}
