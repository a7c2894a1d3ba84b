/** Fastify with the service's features, as its users write it. */
import { randomUUID } from 'node:crypto';
import underPressure from '@fastify/under-pressure';
import Fastify, { type FastifyReply } from 'fastify';
import { Redis } from 'ioredis';
import { readConfig } from '../../../src/config.js';
import { nextPollMs, ordinaryCadence } from '../../../src/live/cadence.js';
import { isoTime } from '../../../src/journeys/iso-time.js';
import { activeVersion, activeView } from '../../../src/live/live-view.js';
import {
  pollParts,
  positionParts,
  readLiveArguments,
  recordPositionsArguments,
} from '../../../src/store/script-arguments.js';
import { withScripts } from '../../../src/store/scripts.js';
import { addHooks, timed } from './fastify-hooks.js';
import { liveSchema, updateSchema } from './fastify-schemas.js';
import { liveOf, positionOf, type UpdateBody } from './fastify-values.js';

const BASE = '/api/v1/admin/location-tracking/journey';
const config = readConfig();
const redis = withScripts(
  new Redis(config.redis.url, { enableAutoPipelining: true, commandTimeout: 500 }),
  config.rules,
);
const processId = randomUUID();
let requests = 0;
const app = Fastify({
  // Its logger creates a child for each request; the sample is written by pino directly.
  logger: false,
  genReqId: () => `${processId}-${++requests}`,
  requestIdHeader: 'x-request-id',
});
// As in its documentation.
if (process.env['UNDER_PRESSURE'] === '1')
  await app.register(underPressure, { maxEventLoopDelay: 1_000, maxEventLoopUtilization: 0.98 });
addHooks(app);

app.post<{ Body: UpdateBody }>(`${BASE}/updates`, { schema: updateSchema }, async (request, reply) => {
  const { body, caller } = request;
  if (caller.role !== 'trainer') return refuse(reply, 403, 'FORBIDDEN');
  const sessionId = body.sessionId.toLowerCase();
  const update = { position: positionOf(body), ageMs: body.ageMs ?? 0, stretch: 1 };
  const parts = positionParts({ sessionId, trainerId: caller.userId, ...update });
  const call = redis.recordPositions(...recordPositionsArguments(parts, ''));
  const [[word, nowMs, nextUpdateMs] = ['none']] = await timed('recordPosition', call);
  if (word !== 'recorded') return refuse(reply, 409, word);
  reply.code(201).header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
  return { success: true, data: { sessionId, timestamp: isoTime(Number(nowMs)), ttl: 300, nextUpdateMs } };
});

app.get<{ Querystring: { sessionId: string } }>(
  `${BASE}/live`,
  { schema: liveSchema },
  async (request, reply) => {
    const { caller } = request;
    const sessionId = request.query.sessionId.toLowerCase();
    const call = redis.readLive(...readLiveArguments(pollParts(sessionId), ''));
    const [stored = ['none']] = await timed('readLive', call);
    if (stored[0] !== 'active') return refuse(reply, 404, stored[0]);
    const { journey, location, nowMs } = liveOf(stored);
    const isParty = caller.userId === (caller.role === 'student' ? journey.studentId : journey.trainerId);
    if (!isParty && caller.role !== 'admin') return refuse(reply, 403, 'FORBIDDEN');
    const etag = `W/"${activeVersion({ journey, location, problem: null })}"`;
    reply.header('etag', etag).header('cache-control', 'private, no-store');
    if (request.headers['if-none-match'] === etag) {
      return reply
        .code(304)
        .header('next-poll-ms', nextPollMs(location, nowMs, ordinaryCadence))
        .send();
    }
    reply.header('x-content-type-options', 'nosniff');
    return { success: true, data: activeView({ journey, location, problem: null, nowMs }) };
  },
);

function refuse(reply: FastifyReply, status: number, code: string): FastifyReply {
  const error = { code, requestId: reply.request.id };
  return reply.code(status).send({ success: false, message: 'Not granted.', error });
}

await app.listen({ port: config.port, host: '127.0.0.1' });
