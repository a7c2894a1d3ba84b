import type { JourneyRequests } from './journey-requests.js';
import type { RequestKind } from './orders.js';

export interface Outgoing {
  call: 'start' | 'update' | 'poll';
  bytes: Buffer | string;
  journey: JourneyRequests;
}

/** The requests of one kind, for one journey after the other. */
export class RequestSource {
  readonly #journeys: readonly JourneyRequests[];
  readonly #kind: RequestKind;
  #next = 0;
  #isPollNext = false;

  constructor(kind: RequestKind, journeys: readonly JourneyRequests[]) {
    this.#kind = kind;
    this.#journeys = kind === 'unchanged' ? journeys.filter(({ etag }) => etag !== undefined) : journeys;
    if (this.#journeys.length === 0) throw new Error(`No journeys for ${kind}`);
  }

  next(): Outgoing {
    const journey = this.#journeys[this.#next] as JourneyRequests;
    // The mix stays with a journey for its update and its poll.
    if (this.#kind !== 'mix' || this.#isPollNext) this.#next = (this.#next + 1) % this.#journeys.length;
    switch (this.#kind) {
      case 'start':
        return { call: 'start', bytes: journey.start, journey };
      case 'update':
        return { call: 'update', bytes: journey.update(), journey };
      case 'live':
        return { call: 'poll', bytes: journey.live, journey };
      case 'unchanged':
        return { call: 'poll', bytes: journey.poll(), journey };
      case 'mix': {
        const isPoll = this.#isPollNext;
        this.#isPollNext = !isPoll;
        return isPoll
          ? { call: 'poll', bytes: journey.poll(), journey }
          : { call: 'update', bytes: journey.update(), journey };
      }
    }
  }
}
