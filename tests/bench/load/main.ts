/** The load's own process: takes one order at a time by the channel to its parent, and goes with it. */
import { JourneyRequests } from './journey-requests.js';
import type { LoadMessage, LoadResult, Order } from './orders.js';
import { actAsPhones } from './phones.js';
import { sendAtRandom } from './random-arrivals.js';
import { saturate } from './saturation.js';
import { Tally } from './tally.js';
import { Sequence } from './request-source.js';
import { waitForNews } from './waiting-students.js';

const PREPARED_AT_ONCE = 1_000;
const journeys: JourneyRequests[] = [];

const say = (message: LoadMessage): void => {
  process.send?.(message);
};
const onMeasuring = (): void => {
  say('measuring');
};

process.on('message', (order: Order) => {
  carryOut(order).then(
    (result) => {
      say({ result });
    },
    (error: unknown) => {
      say({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    },
  );
});
process.on('disconnect', () => process.exit(0));

function carryOut(order: Order): Promise<LoadResult> {
  if (order.kind === 'prepare') return prepare(order.journeys);
  const some = journeys.slice(0, order.journeys);
  // An ETag is its contender's own; the answers to come bring new ones.
  if ('requests' in order && order.requests === 'live') for (const journey of journeys) journey.forget();
  switch (order.kind) {
    case 'saturation':
      return saturate(order, some, onMeasuring);
    case 'randomArrivals':
      return sendAtRandom(order, some, onMeasuring);
    case 'phones':
      return actAsPhones(order, some, onMeasuring);
    case 'waitingStudents':
      return waitForNews(order, some, onMeasuring);
  }
}

async function prepare(count: number): Promise<LoadResult> {
  while (journeys.length < count) {
    const from = journeys.length;
    const size = Math.min(PREPARED_AT_ONCE, count - from);
    const made = Array.from({ length: size }, (_, index) => JourneyRequests.of(from + index));
    journeys.push(...(await Promise.all(made)));
  }
  return new Tally('mix').result(new Sequence(0), 0);
}
