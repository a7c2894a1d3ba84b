/** The load's own process: carries out one order of its parent at a time, and ends with it. */
import { sendAsPhones } from './beats.js';
import { JourneyRequests } from './journey-requests.js';
import type { LoadMessage, LoadResult, Order } from './orders.js';
import { sendAtRandom } from './random-arrivals.js';
import { saturate } from './saturation.js';
import { Tally } from './tally.js';
import { waitForChanges } from './waiting-students.js';

const PREPARED_AT_ONCE = 1_000;
const journeys: JourneyRequests[] = [];

const send = (message: LoadMessage): void => {
  process.send?.(message);
};
const onMeasuring = (): void => {
  send('measuring');
};

process.on('message', (order: Order) => {
  carryOut(order).then(
    (result) => {
      send({ result });
    },
    (error: unknown) => {
      send({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    },
  );
});
process.on('disconnect', () => process.exit(0));

function carryOut(order: Order): Promise<LoadResult> {
  if (order.kind === 'prepare') return prepare(order.journeys);
  const some = journeys.slice(0, order.journeys);
  switch (order.kind) {
    case 'saturation':
      // The ETags are those of the server that was measured before.
      if (order.requests === 'live') for (const journey of journeys) journey.forgetState();
      return saturate(order, some, onMeasuring);
    case 'randomArrivals':
      return sendAtRandom(order, some, onMeasuring);
    case 'polling':
      return sendAsPhones(order, some, onMeasuring);
    case 'waiting':
      return waitForChanges(order, some, onMeasuring);
  }
}

async function prepare(count: number): Promise<LoadResult> {
  while (journeys.length < count) {
    const from = journeys.length;
    const size = Math.min(PREPARED_AT_ONCE, count - from);
    const made = Array.from({ length: size }, (_, index) => JourneyRequests.of(from + index));
    journeys.push(...(await Promise.all(made)));
  }
  return new Tally('mix').result();
}
