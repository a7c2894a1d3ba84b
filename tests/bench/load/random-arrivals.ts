import type { JourneyRequests } from './journey-requests.js';
import { openLoop } from './open-loop.js';
import type { LoadResult, RandomArrivalsOrder } from './orders.js';
import { RequestSource, Sequence } from './request-source.js';
import { Tally } from './tally.js';

/** So many requests a second, at random times as those of many phones are. */
export async function sendAtRandom(
  order: RandomArrivalsOrder,
  journeys: readonly JourneyRequests[],
  onMeasuring: () => void,
): Promise<LoadResult> {
  const sequence = new Sequence(order.firstSequence);
  const source = new RequestSource(order.requests, journeys, sequence, 0);
  const tally = new Tally(order.requests);
  const startMs = performance.now();
  let dueMs = startMs;
  await openLoop(
    {
      port: order.port,
      connections: order.connections,
      dueMs: () => dueMs,
      take: () => {
        dueMs += (-Math.log(1 - Math.random()) * 1000) / order.perSecond;
        return source.next();
      },
      // Connections are made in the first moments.
      measureFromMs: startMs + 250,
      untilMs: startMs + 250 + order.seconds * 1000,
      onMeasuring,
    },
    tally,
  );
  return tally.result(sequence, source.nextJourney);
}
