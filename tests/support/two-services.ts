import type { ReceivedEvent } from '../../src/dev/event-bus/local-event-bus.js';
import { aSession } from './a-session.js';
import { data } from './api.js';
import { MovableClock } from './movable-clock.js';
import { startPrivateRedis, type PrivateRedis } from './private-redis.js';
import { runService, type RunningService } from './running-service.js';
import { until } from './until.js';

export const EVENT_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Two services on one Redis and one clock. */
export class TwoServices {
  readonly clock = new MovableClock();
  readonly #redis: PrivateRedis;
  readonly #services: RunningService[] = [];

  private constructor(redis: PrivateRedis) {
    this.#redis = redis;
  }

  static async start(settings: Record<string, string> = {}): Promise<TwoServices> {
    const both = new TwoServices(await startPrivateRedis());
    await both.another(settings);
    await both.another(settings);
    return both;
  }

  /** One more, with settings of its own; it stops with the others. */
  async another(settings: Record<string, string>): Promise<RunningService> {
    const service = await runService({
      settings: { REDIS_URL: this.#redis.url, ...settings },
      clock: this.clock.now,
    });
    this.#services.push(service);
    return service;
  }

  get one(): RunningService {
    return this.#services[0] as RunningService;
  }

  get other(): RunningService {
    return this.#services[1] as RunningService;
  }

  get redis(): PrivateRedis['client'] {
    return this.#redis.client;
  }

  /** Of both processes, sorted by type and time because they publish in any order. */
  eventsOf(sessionId: string, detailType?: string): ReceivedEvent[] {
    return this.#services
      .flatMap((service) => service.eventsOf(sessionId))
      .filter((event) => detailType === undefined || event.detailType === detailType)
      .sort((one, other) => (sortKey(one) < sortKey(other) ? -1 : 1));
  }

  /** The events of one type, once there are so many of them. */
  async told(sessionId: string, detailType: string, count = 1): Promise<ReceivedEvent[]> {
    return until(`${count} ${detailType}`, () => {
      const events = this.eventsOf(sessionId, detailType);
      return events.length >= count && events;
    });
  }

  /** Resolves when all events recorded by now have been published. */
  async everythingTold(): Promise<void> {
    const marks = this.#services.map(async ({ api }) => {
      const session = await aSession();
      data(await api.start(session.sessionId, session.trainerToken));
      await this.told(session.sessionId, 'TrainerJourneyStarted');
    });
    await Promise.all(marks);
    await until('the outbox is empty', async () => (await this.redis.xlen('journey:outbox')) === 0);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#services.map((service) => service.stop()));
    await this.#redis.stop();
  }
}

function sortKey({ detailType, detail }: ReceivedEvent): string {
  return `${detailType} ${String(detail['time'])}`;
}
