import type { RequestKind } from './orders.js';
import type { JourneyRequests } from './journey-requests.js';

export interface Outgoing {
  call: 'update' | 'poll';
  bytes: Buffer | string;
  journey: JourneyRequests;
}

/** Rises over all journeys, so that it rises within each. */
export class Sequence {
  #last: number;

  constructor(first: number) {
    this.#last = first - 1;
  }

  next(): number {
    return ++this.#last;
  }

  get last(): number {
    return this.#last;
  }
}

/** The requests of one kind, over the journeys in turn. */
export class RequestSource {
  readonly #journeys: readonly JourneyRequests[];
  readonly #sequence: Sequence;
  readonly #kind: RequestKind;
  #next: number;
  #isPollsTurn = false;

  constructor(
    kind: RequestKind,
    journeys: readonly JourneyRequests[],
    sequence: Sequence,
    firstJourney: number,
  ) {
    this.#kind = kind;
    // Only of these is it known what has not changed.
    this.#journeys = kind === 'unchanged' ? journeys.filter(({ etag }) => etag !== undefined) : journeys;
    if (this.#journeys.length === 0) throw new Error(`no journeys for ${kind}`);
    this.#sequence = sequence;
    this.#next = firstJourney % this.#journeys.length;
  }

  get nextJourney(): number {
    return this.#next;
  }

  next(): Outgoing {
    const journey = this.#journeys[this.#next];
    if (journey === undefined) throw new Error('there is no such journey');
    const call = this.#callOf();
    if (call === 'update' || this.#kind !== 'mix') this.#next = (this.#next + 1) % this.#journeys.length;
    return { call, bytes: this.#bytesOf(call, journey), journey };
  }

  #callOf(): Outgoing['call'] {
    switch (this.#kind) {
      case 'update':
        return 'update';
      case 'live':
      case 'unchanged':
        return 'poll';
      case 'mix':
        this.#isPollsTurn = !this.#isPollsTurn;
        return this.#isPollsTurn ? 'poll' : 'update';
    }
  }

  #bytesOf(call: Outgoing['call'], journey: JourneyRequests): Buffer | string {
    if (call === 'update') return journey.update(this.#sequence.next());
    return this.#kind === 'live' ? journey.live() : journey.poll();
  }
}
