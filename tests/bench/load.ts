/**
 * A lean load of updates at saturation: keep-alive sockets, one request in flight on each, requests made beforehand as
 * far as they can be. Told by the process message what to send; answers with how it went.
 */
import { connect } from 'node:net';
import type { BenchJourney } from './journeys.js';

export interface LoadOrder {
  port: number;
  seconds: number;
  connections: number;
  journeys: BenchJourney[];
  firstSequence: number;
}

export interface LoadResult {
  answers: number;
  /** Answers other than 201, by status. */
  others: Record<string, number>;
  lastSequence: number;
}

process.once('message', (order: LoadOrder) => {
  void run(order).then((result) => {
    process.send?.(result, () => process.exit(0));
  });
});

async function run({ port, seconds, connections, journeys, firstSequence }: LoadOrder): Promise<LoadResult> {
  const result: LoadResult = { answers: 0, others: {}, lastSequence: firstSequence };
  const endsAt = performance.now() + seconds * 1000;
  let next = 0;

  const nextRequest = (): string => {
    if (next === journeys.length) {
      next = 0;
      result.lastSequence++;
    }
    const journey = journeys[next++];
    if (journey === undefined) throw new Error('no journeys');
    const body = `{"sessionId":"${journey.sessionId}","trainerId":"${journey.trainerId}","latitude":12.9715987,"longitude":77.5945627,"accuracy":5.5,"speed":8.25,"heading":271.5,"sequence":${result.lastSequence}}`;
    return `POST /api/v1/admin/location-tracking/journey/updates HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${journey.token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  };

  await Promise.all(
    Array.from({ length: connections }, () => {
      return new Promise<void>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1');
        let received = '';
        socket.setNoDelay(true);
        socket.on('connect', () => socket.write(nextRequest()));
        socket.on('error', reject);
        socket.on('data', (chunk) => {
          received += chunk.toString('latin1');
          // Every answer ends with the envelope's closing braces; none holds them elsewhere.
          if (!received.includes('}}')) return;
          const status = received.slice(9, 12);
          result.answers++;
          if (status !== '201') result.others[status] = (result.others[status] ?? 0) + 1;
          received = '';
          if (performance.now() < endsAt) {
            socket.write(nextRequest());
          } else {
            socket.destroy();
            resolve();
          }
        });
      });
    }),
  );
  return result;
}
