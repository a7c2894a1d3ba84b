import type { JourneyRequests } from './journey-requests.js';
import { openLoop } from './open-loop.js';
import type { LoadResult, PhonesOrder } from './orders.js';
import { Sequence, type Outgoing } from './request-source.js';
import { Tally } from './tally.js';

interface Beat {
  offsetMs: number;
  call: Outgoing['call'];
  journey: JourneyRequests;
}

/** Each phone's calls come every so many milliseconds, at an offset of its own. */
export class Beats {
  readonly #beats: Beat[];
  readonly #intervalMs: number;
  readonly #sequence: Sequence;
  #roundStartsAtMs: number;
  #next = 0;

  constructor(
    calls: readonly Outgoing['call'][],
    journeys: readonly JourneyRequests[],
    sequence: Sequence,
    timing: { startMs: number; intervalMs: number },
  ) {
    this.#intervalMs = timing.intervalMs;
    this.#roundStartsAtMs = timing.startMs;
    this.#sequence = sequence;
    this.#beats = journeys
      .flatMap((journey) =>
        calls.map((call) => ({ offsetMs: Math.random() * timing.intervalMs, call, journey })),
      )
      .sort((one, other) => one.offsetMs - other.offsetMs);
  }

  dueMs(): number {
    return this.#roundStartsAtMs + this.#current().offsetMs;
  }

  take(): Outgoing {
    const { call, journey } = this.#current();
    this.#next++;
    if (this.#next === this.#beats.length) {
      this.#next = 0;
      this.#roundStartsAtMs += this.#intervalMs;
    }
    const bytes = call === 'update' ? journey.update(this.#sequence.next()) : journey.poll();
    return { call, bytes, journey };
  }

  #current(): Beat {
    const beat = this.#beats[this.#next];
    if (beat === undefined) throw new Error('no journeys');
    return beat;
  }
}

/** The real mix: of each journey an update and a poll. */
export async function actAsPhones(
  order: PhonesOrder,
  journeys: readonly JourneyRequests[],
  onMeasuring: () => void,
): Promise<LoadResult> {
  const sequence = new Sequence(order.firstSequence);
  const tally = new Tally('mix');
  const startMs = performance.now();
  const beats = new Beats(['update', 'poll'], journeys, sequence, { startMs, intervalMs: order.intervalMs });
  const measureFromMs = startMs + order.warmUpSeconds * 1000;
  await openLoop(
    {
      port: order.port,
      dueMs: () => beats.dueMs(),
      take: () => beats.take(),
      measureFromMs,
      untilMs: measureFromMs + order.seconds * 1000,
      onMeasuring,
    },
    tally,
  );
  return tally.result(sequence, 0);
}
