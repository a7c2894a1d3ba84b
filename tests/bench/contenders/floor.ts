/**
 * The least that a call costs in Node: a bare node:http server that parses the same body and runs the same script, without
 * token check, validation, metrics or log.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Redis } from 'ioredis';
import { readConfig } from '../../../src/config.js';
import { changesPrefix, databaseOf } from '../../../src/store/keys.js';
import {
  pollParts,
  positionParts,
  readLiveArguments,
  recordPositionsArguments,
} from '../../../src/store/script-arguments.js';
import { withScripts } from '../../../src/store/scripts.js';

const config = readConfig();
const redis = withScripts(new Redis(config.redis.url), config.rules);
const subscriber = new Redis(config.redis.url);
const channelPrefix = changesPrefix(databaseOf(subscriber));
const subscribed = new Set<string>();
const waiting = new Map<string, ServerResponse>();
subscriber.on('message', (channel: string, json: string) => {
  const sessionId = channel.slice(channelPrefix.length);
  const res = waiting.get(sessionId);
  waiting.delete(sessionId);
  if (res !== undefined) showLocation(res, sessionId, json, undefined);
});

interface Update {
  sessionId: string;
  trainerId: string;
  latitude: number;
  longitude: number;
}

const server = createServer((req, res) => {
  if (req.url === '/health/live') {
    answer(res, 200, {});
    return;
  }
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
  sendInOneWrite();
  const [reply] = await redis.recordPositions(...recordPositionsArguments(positionParts(record), ''));
  const [word, nowMs] = reply ?? [];
  const timestamp = new Date(Number(nowMs)).toISOString();
  const data = { sessionId, timestamp, ttl: 300, nextUpdateMs: 5000 };
  answer(res, word === 'recorded' ? 201 : 500, { success: true, data });
}

async function live(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const sessionId = req.url?.slice(-36) ?? '';
  sendInOneWrite();
  const [reply] = await redis.readLive(...readLiveArguments(pollParts(sessionId), ''));
  showLocation(res, sessionId, String(reply?.[3]), req.headers['if-none-match']);
}

/** Until the next change; there is no timeout. */
async function wait(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const sessionId = req.url?.slice(-36) ?? '';
  if (!subscribed.has(sessionId)) await subscriber.subscribe(channelPrefix + sessionId);
  subscribed.add(sessionId);
  waiting.set(sessionId, res);
}

/** The commands of one turn of the event loop go to Redis in one write. */
function sendInOneWrite(): void {
  const { stream } = redis;
  if (stream.writableCorked > 0) return;
  stream.cork();
  setImmediate(() => {
    stream.uncork();
  });
}

function showLocation(res: ServerResponse, sessionId: string, json: string, known: string | undefined): void {
  const location = JSON.parse(json) as { trainerId: string; timestamp: string };
  const { trainerId, timestamp: lastUpdate } = location;
  const etag = `"${lastUpdate}"`;
  if (known === etag) {
    res.writeHead(304, { ETag: etag }).end();
    return;
  }
  const data = { sessionId, trainerId, isActive: true, location, lastUpdate };
  answer(res, 200, { success: true, data }, { ETag: etag });
}

function answer(res: ServerResponse, status: number, data: object, headers?: Record<string, string>): void {
  const body = JSON.stringify(data);
  const length = Buffer.byteLength(body);
  res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': length, ...headers });
  res.end(body);
}

server.listen(config.port);
