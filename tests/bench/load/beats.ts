import type { JourneyRequests } from './journey-requests.js';
import { CONNECTIONS, openLoop } from './open-loop.js';
import type { LoadResult, PollingOrder } from './orders.js';
import type { Outgoing } from './request-source.js';
import { Tally } from './tally.js';

type Call = 'update' | 'poll';

interface Beat {
  offsetMs: number;
  call: Call;
  journey: JourneyRequests;
}

/** The calls of each phone every intervalMs, at an offset of its own. */
export class Beats {
  readonly #beats: Beat[];
  readonly #intervalMs: number;
  #roundStartsAtMs = performance.now();
  #next = 0;

  constructor(calls: readonly Call[], journeys: readonly JourneyRequests[], intervalMs: number) {
    this.#intervalMs = intervalMs;
    this.#beats = journeys
      .flatMap((journey) => calls.map((call) => ({ offsetMs: Math.random() * intervalMs, call, journey })))
      .sort((one, other) => one.offsetMs - other.offsetMs);
  }

  readonly dueMs = (): number => this.#roundStartsAtMs + this.#current().offsetMs;

  readonly take = (): Outgoing => {
    const { call, journey } = this.#current();
    this.#next++;
    if (this.#next === this.#beats.length) {
      this.#next = 0;
      this.#roundStartsAtMs += this.#intervalMs;
    }
    return { call, bytes: call === 'update' ? journey.update() : journey.poll(), journey };
  };

  #current(): Beat {
    const beat = this.#beats[this.#next];
    if (beat === undefined) throw new Error('No journeys');
    return beat;
  }
}

/** As in production: an update and a poll of each journey every intervalMs. */
export async function sendAsPhones(
  { port, intervalMs, warmUpSeconds, seconds }: PollingOrder,
  journeys: readonly JourneyRequests[],
  onMeasuring: () => void,
): Promise<LoadResult> {
  const tally = new Tally('mix');
  const { dueMs, take } = new Beats(['update', 'poll'], journeys, intervalMs);
  const order = { port, connections: CONNECTIONS, warmUpSeconds, seconds };
  await openLoop({ ...order, dueMs, take, onMeasuring }, tally);
  return tally.result();
}
