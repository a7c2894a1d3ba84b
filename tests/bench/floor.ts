/**
 * The floor: what an update costs at the least in Node. A bare node:http server that parses the same body and runs the
 * same script, without a token check, validation, metrics or log.
 */
import { createServer } from 'node:http';
import { OLDEST_FIX_MS } from '../../src/journey/journey.js';
import { connect } from '../../src/redis/connection.js';
import * as keys from '../../src/redis/keys.js';
import { withScripts } from '../../src/redis/scripts.js';
import { rules } from './journeys.js';

const redis = withScripts(
  connect({ url: process.env['REDIS_URL'] ?? '', commandTimeoutMs: 500 }, 'floor', console.error),
);
await redis.connect();

interface Update {
  sessionId: string;
  trainerId: string;
  latitude: number;
  longitude: number;
  accuracy: number;
  speed: number;
  heading: number;
  sequence: number;
}

const server = createServer((req, res) => {
  const chunks: Buffer[] = [];
  req.on('data', (chunk: Buffer) => chunks.push(chunk));
  req.on('end', () => {
    const { sessionId, trainerId, ...position } = JSON.parse(Buffer.concat(chunks).toString()) as Update;
    const { latitude, longitude, accuracy, sequence } = position;
    const head = `{"sessionId":"${sessionId}","trainerId":"${trainerId}",`;
    void redis
      .recordPosition(
        keys.activeKey(sessionId),
        keys.endedKey(sessionId),
        keys.trackKey(sessionId),
        keys.locationKey(trainerId, sessionId),
        keys.rateKey(trainerId),
        keys.DEADLINES_KEY,
        ...['', head, trainerId, sequence, 0, latitude, longitude, accuracy],
        ...[
          JSON.stringify(position).slice(1, -1),
          head.slice(1, -1),
          rules.locationTtlSeconds,
          rules.updateIntervalMs,
        ],
        ...[rules.updateToleranceMs, rules.maxSpeedKmh, rules.coarseAccuracyMeters, OLDEST_FIX_MS, sessionId],
      )
      .then(([word, nowMs]) => {
        const timestamp = new Date(Number(nowMs)).toISOString();
        const body = JSON.stringify({
          success: true,
          data: { sessionId, timestamp, ttl: 300, nextUpdateMs: 5000 },
        });
        res.writeHead(word === 'recorded' ? 201 : 500, { 'Content-Type': 'application/json' }).end(body);
      });
  });
});
server.listen(Number(process.env['PORT']), () => {
  console.log('listening');
});
