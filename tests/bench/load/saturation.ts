import { HttpConnection } from './http-connection.js';
import type { JourneyRequests } from './journey-requests.js';
import type { LoadResult, SaturationOrder } from './orders.js';
import { RequestSource, Sequence } from './request-source.js';
import { Tally } from './tally.js';

/** As much as the server takes: on each connection the next request follows the last one's answer. */
export async function saturate(
  order: SaturationOrder,
  journeys: readonly JourneyRequests[],
  onMeasuring: () => void,
): Promise<LoadResult> {
  const sequence = new Sequence(order.firstSequence);
  const source = new RequestSource(order.requests, journeys, sequence, order.firstJourney);
  const tally = new Tally(order.requests);
  const connections = await Promise.all(
    Array.from({ length: order.connections }, () => HttpConnection.open(order.port)),
  );
  onMeasuring();
  tally.begin();
  const endsAtMs = performance.now() + order.seconds * 1000;
  let sent = 0;

  const keepBusy = (connection: HttpConnection, done: () => void): void => {
    if (!connection.isOpen || (performance.now() >= endsAtMs && sent >= order.leastRequests)) {
      done();
      return;
    }
    sent++;
    const request = source.next();
    connection.send(request.bytes, (status, text) => {
      tally.answered(request, status, text, undefined);
      keepBusy(connection, done);
    });
  };
  await Promise.all(
    connections.map((connection) => {
      return new Promise<void>((resolve) => {
        keepBusy(connection, resolve);
      });
    }),
  );
  for (const connection of connections) connection.close();
  return tally.result(sequence, source.nextJourney);
}
