/** The Fastify contender's token check, metrics and log, as in the service. */
import { createSecretKey } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { pino } from 'pino';
import { Histogram } from 'prom-client';

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller;
  }
}
interface Caller {
  userId: string;
  role: unknown;
  expiresAtMs: number;
}

const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i;
const LINES_PER_SECOND = 20;
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const requests = new Histogram({
  name: 'http_request_duration_seconds',
  help: 'Requests',
  labelNames: ['method', 'route', 'status'],
  buckets,
});
const calls = new Histogram({
  name: 'redis_call_duration_seconds',
  help: 'Calls to Redis',
  labelNames: ['operation', 'outcome'],
  buckets,
});
const secret = createSecretKey(process.env['AUTH_JWT_SECRET'] ?? '', 'utf8');
const verified = new LRUCache<string, Caller>({ max: 50_000 });
const log = pino();
let [second, lines] = [0, 0];

export async function timed<T>(operation: string, call: Promise<T>): Promise<T> {
  const startedAtMs = performance.now();
  const result = await call;
  calls.observe({ operation, outcome: 'ok' }, (performance.now() - startedAtMs) / 1000);
  return result;
}

export function addHooks(app: FastifyInstance): void {
  app.decorateRequest('caller');
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    const token = BEARER.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const known = verified.get(token);
    if (known !== undefined && known.expiresAtMs > Date.now()) {
      request.caller = known;
      done();
      return;
    }
    jwtVerify(token, secret, { algorithms: ['HS256'], requiredClaims: ['exp', 'sub'] }).then(
      ({ payload: { sub = '', role, exp = 0 } }) => {
        request.caller = { userId: sub, role, expiresAtMs: exp * 1000 };
        verified.set(token, request.caller);
        done();
      },
      () => reply.code(401).send({ success: false, error: { code: 'UNAUTHENTICATED' } }),
    );
  });
  app.addHook('onResponse', (request, reply, done) => {
    const { method, routeOptions } = request;
    const [route, status, seconds] = [
      routeOptions.url ?? 'unmatched',
      reply.statusCode,
      reply.elapsedTime / 1000,
    ];
    requests.observe({ method, route, status }, seconds);
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) [second, lines] = [now, 0];
    if (status >= 400 || ++lines <= LINES_PER_SECOND)
      log.info({ requestId: request.id, method, route, status, durationMs: seconds * 1000 }, 'request');
    done();
  });
}
