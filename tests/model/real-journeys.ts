import { setTimeout as pause } from 'node:timers/promises';
import type { Stack } from '../support/stack.js';
import type { Call, ReceivedAnswer } from './contract/calls.js';
import { Inconclusive } from './divergence.js';
import { RedisUnderModel } from './redis-under-model.js';
import { ServiceUnderModel } from './service-under-model.js';

/** Moves only when the model moves it. */
export class ModelClock {
  #nowMs = Date.now();

  readonly now = (): number => this.#nowMs;

  advance(ms: number): void {
    this.#nowMs += ms;
  }
}

/** The real service, its Redis and its bus, with the model's clock. */
export class RealJourneys {
  readonly service: ServiceUnderModel;
  readonly redis: RedisUnderModel;
  readonly clock: ModelClock;
  operations = 0;

  private constructor(service: ServiceUnderModel, clock: ModelClock) {
    this.service = service;
    this.clock = clock;
    this.redis = new RedisUnderModel(service.redis);
  }

  static async start(stack: Stack): Promise<RealJourneys> {
    const clock = new ModelClock();
    return new RealJourneys(await ServiceUnderModel.start(stack, { instances: 1, clock: clock.now }), clock);
  }

  /** @throws Inconclusive where the service is too busy */
  async ask(call: Call, headers: Record<string, string>): Promise<ReceivedAnswer> {
    const answer = await this.service.send(call, headers);
    if (answer === null || answer.status === 503) throw new Inconclusive(JSON.stringify(answer));
    this.operations++;
    return answer;
  }

  /** Every recorded event has been published. */
  async untilPublished(): Promise<void> {
    const deadlineMs = performance.now() + 10_000;
    while ((await this.redis.outboxLength()) > 0) {
      if (performance.now() > deadlineMs) throw new Error('the outbox is not empty after 10 s');
      await pause(2);
    }
  }
}
