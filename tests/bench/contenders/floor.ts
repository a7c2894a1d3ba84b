/**
 * The floor: what a call costs at the least in Node. A bare node:http server that parses the same body and runs the same
 * script, without a token check, validation, metrics or log.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createClient } from '../../../src/store/connection.js';
import { CHANGES_PREFIX, changesChannel } from '../../../src/store/keys.js';
import {
  pollParts,
  positionParts,
  readLiveArguments,
  recordPositionsArguments,
} from '../../../src/store/script-arguments.js';
import { withScripts } from '../../../src/store/scripts.js';
import { saturationRules } from '../bench-journeys.js';

const redisSettings = { url: process.env['REDIS_URL'] ?? '', commandTimeoutMs: 500 };
const redis = withScripts(
  createClient(redisSettings, { name: 'floor', onError: console.error }),
  saturationRules,
);
await redis.connect();

const feed = createClient(redisSettings, { name: 'feed', onError: console.error });
await feed.connect();
feed.on('message', (channel: string, json: string) => {
  tellWaiting(channel.slice(CHANGES_PREFIX.length), json);
});
const followed = new Set<string>();
const waiting = new Map<string, ServerResponse>();

interface Update {
  sessionId: string;
  trainerId: string;
  latitude: number;
  longitude: number;
}

const server = createServer((req, res) => {
  if (req.method === 'GET') {
    void (req.headers['prefer'] === undefined ? live(req, res) : wait(req, res));
    return;
  }
  const chunks: Buffer[] = [];
  req.on('data', (chunk: Buffer) => chunks.push(chunk));
  req.on('end', () => void update(Buffer.concat(chunks).toString(), res));
});

async function update(body: string, res: ServerResponse): Promise<void> {
  const { sessionId, trainerId, ...position } = JSON.parse(body) as Update;
  const record = { sessionId, trainerId, position, ageMs: 0, stretch: 1 };
  const [reply] = await redis.recordPositions(...recordPositionsArguments(positionParts(record), ''));
  const [word, nowMs] = reply ?? [];
  const timestamp = new Date(Number(nowMs)).toISOString();
  const data = { sessionId, timestamp, ttl: 300, nextUpdateMs: 5000 };
  answer(res, word === 'recorded' ? 201 : 500, { success: true, data });
}

async function live(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const sessionId = req.url?.slice(-36) ?? '';
  const [reply] = await redis.readLive(...readLiveArguments(pollParts(sessionId), ''));
  show(res, sessionId, String(reply?.[3]), {}, req.headers['if-none-match']);
}

/** Until there is news; for a second, as the load asks for to see whether a server waits at all, by a timer. */
async function wait(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const sessionId = req.url?.slice(-36) ?? '';
  if (!followed.has(sessionId)) await feed.subscribe(changesChannel(sessionId));
  followed.add(sessionId);
  waiting.set(sessionId, res);
  if (req.headers['prefer'] === 'wait=1')
    setTimeout(() => {
      res.writeHead(304, { 'Preference-Applied': 'wait=1' }).end();
      waiting.delete(sessionId);
    }, 1_000);
}

function tellWaiting(sessionId: string, json: string): void {
  const res = waiting.get(sessionId);
  if (res === undefined) return;
  waiting.delete(sessionId);
  show(res, sessionId, json, { 'Preference-Applied': 'wait=25' });
}

function show(
  res: ServerResponse,
  sessionId: string,
  json: string,
  headers: Record<string, string>,
  known?: string,
): void {
  const location = JSON.parse(json) as { trainerId: string; timestamp: string };
  const { trainerId, timestamp: lastUpdate } = location;
  const etag = `"${lastUpdate}"`;
  if (known === etag) {
    res.writeHead(304, { ETag: etag }).end();
    return;
  }
  const data = { sessionId, trainerId, isActive: true, location, lastUpdate };
  answer(res, 200, { success: true, data }, { ETag: etag, ...headers });
}

function answer(
  res: ServerResponse,
  status: number,
  data: object,
  headers: Record<string, string> = {},
): void {
  const body = JSON.stringify(data);
  const length = Buffer.byteLength(body);
  res
    .writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': length, ...headers })
    .end(body);
}

server.listen(Number(process.env['PORT']));
