import { HttpConnection } from './http-connection.js';
import type { JourneyRequests } from './journey-requests.js';
import type { LoadResult, SaturationOrder } from './orders.js';
import { RequestSource } from './request-source.js';
import { Tally } from './tally.js';

/** As much as the server takes: each connection sends its next request after the answer to the last. */
export async function saturate(
  { port, requests, connections: count, seconds, leastRequests }: SaturationOrder,
  journeys: readonly JourneyRequests[],
  onMeasuring: () => void,
): Promise<LoadResult> {
  const source = new RequestSource(requests, journeys);
  const tally = new Tally(requests);
  const connections = await Promise.all(Array.from({ length: count }, () => HttpConnection.open(port)));
  onMeasuring();
  tally.begin();
  const endsAtMs = performance.now() + seconds * 1000;
  let sent = 0;

  const sendNext = (connection: HttpConnection, done: () => void): void => {
    if (!connection.isOpen || (performance.now() >= endsAtMs && sent >= leastRequests)) {
      done();
      return;
    }
    sent++;
    const request = source.next();
    const sentAtMs = performance.now();
    connection.send(request.bytes, (status, text) => {
      tally.answered(request, status, text, performance.now() - sentAtMs);
      sendNext(connection, done);
    });
  };
  await Promise.all(
    connections.map((connection) => {
      return new Promise<void>((resolve) => {
        sendNext(connection, resolve);
      });
    }),
  );
  for (const connection of connections) connection.close();
  return tally.result();
}
