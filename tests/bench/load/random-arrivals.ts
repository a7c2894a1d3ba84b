import type { JourneyRequests } from './journey-requests.js';
import { openLoop } from './open-loop.js';
import type { LoadResult, RandomArrivalsOrder } from './orders.js';
import { RequestSource } from './request-source.js';
import { Tally } from './tally.js';

/** So many requests a second at random times, as those of many phones. */
export async function sendAtRandom(
  { port, connections, requests, perSecond, warmUpSeconds, seconds, skipsWhenBusy }: RandomArrivalsOrder,
  journeys: readonly JourneyRequests[],
  onMeasuring: () => void,
): Promise<LoadResult> {
  const source = new RequestSource(requests, journeys);
  const tally = new Tally(requests);
  let dueMs = performance.now();
  await openLoop(
    {
      ...{ port, connections, warmUpSeconds, seconds, skipsWhenBusy, onMeasuring },
      dueMs: () => dueMs,
      take: () => {
        dueMs += (-Math.log(1 - Math.random()) * 1000) / perSecond;
        return source.next();
      },
    },
    tally,
  );
  return tally.result();
}
