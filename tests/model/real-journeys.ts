import { setTimeout as pause } from 'node:timers/promises';
import type { Call, HeardAnswer } from './contract/calls.js';
import { Inconclusive } from './divergence.js';
import { RedisUnderModel } from './redis-under-model.js';
import { ServiceUnderModel } from './service-under-model.js';

/** Stands still unless the model moves it. */
export class ModelClock {
  #nowMs = Date.now();

  readonly now = (): number => this.#nowMs;

  advance(ms: number): void {
    this.#nowMs += ms;
  }
}

/** The real service, its Redis and its bus, with a clock that histories move. */
export class RealJourneys {
  readonly service: ServiceUnderModel;
  readonly redis: RedisUnderModel;
  readonly clock: ModelClock;
  /** Calls so far, and what they were answered. */
  operations = 0;
  readonly outcomes = new Map<string, number>();

  private constructor(service: ServiceUnderModel, clock: ModelClock) {
    this.service = service;
    this.clock = clock;
    this.redis = new RedisUnderModel(service.redis);
  }

  static async start(databaseUrl: string): Promise<RealJourneys> {
    const clock = new ModelClock();
    const service = await ServiceUnderModel.start({ databaseUrl, instances: 1, clock: clock.now });
    return new RealJourneys(service, clock);
  }

  count(outcome: string): void {
    this.operations++;
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  /** @throws Inconclusive where the service is too busy */
  async ask(call: Call, headers: Record<string, string>): Promise<HeardAnswer> {
    const incoming = await this.service.send(call, headers);
    if (incoming.kind !== 'answer' || incoming.status === 503) {
      throw new Inconclusive(incoming.kind === 'answer' ? incoming.body : incoming.kind);
    }
    const { status, body } = incoming;
    return { status, headers: incoming.headers, body: body === '' ? null : (JSON.parse(body) as unknown) };
  }

  sweep(): Promise<void> {
    return this.service.sweep(this.clock.now);
  }

  /** Every event that was recorded has come to the bus. */
  async untilPublished(): Promise<void> {
    const deadlineMs = performance.now() + 10_000;
    while ((await this.redis.outboxLength()) > 0) {
      if (performance.now() > deadlineMs) throw new Error('the outbox is not empty within 10 s');
      await pause(2);
    }
  }

  stop(): Promise<void> {
    return this.service.stop();
  }
}
