import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface StubCall {
  kind: 'start' | 'update' | 'live' | 'arrived' | 'stop';
  sessionId: string;
  headers: IncomingMessage['headers'];
  body: Record<string, unknown>;
  atMs: number;
}

export interface StubAnswer {
  status: number;
  headers?: Record<string, string>;
  /** Sent as JSON; a string as it is. */
  body?: unknown;
}

/** Replaces the proper answer, unless it is undefined. */
export type Misbehaviour = (
  call: StubCall,
  proper: StubAnswer,
) => StubAnswer | 'hang' | 'reset' | undefined | Promise<StubAnswer | undefined>;

export interface StubService {
  url: string;
  calls: StubCall[];
  callsOf(kind: StubCall['kind'], sessionId?: string): StubCall[];
  stop(): Promise<void>;
}

interface StubJourney {
  startedAt: string;
  isActive: boolean;
  changes: number;
  location: Record<string, unknown> | null;
}

/** Answers the five calls as the contract says, in memory, without checking tokens, unless it is to misbehave. */
export async function startStubService(misbehave: Misbehaviour = () => undefined): Promise<StubService> {
  const journeys = new Map<string, StubJourney>();
  const calls: StubCall[] = [];
  const server = createServer((req, res) => {
    void handle(req, res);
  });

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const call = readCall(req, await text(req));
    calls.push(call);
    const proper = properAnswer(call, journeys);
    const answer = (await misbehave(call, proper)) ?? proper;
    if (answer === 'hang') return;
    if (answer === 'reset') {
      req.socket.destroy();
      return;
    }
    const body = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
    res.writeHead(answer.status, { 'Content-Type': 'application/json', ...answer.headers });
    res.end(answer.status === 304 ? undefined : body);
  }

  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    callsOf: (kind, sessionId) =>
      calls.filter((call) => call.kind === kind && (sessionId === undefined || call.sessionId === sessionId)),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/** A refusal in the envelope of the contract. */
export function refusalAnswer(
  status: number,
  code: string,
  more: { headers?: Record<string, string>; details?: Record<string, unknown> } = {},
): StubAnswer {
  const error = { code, requestId: 'stub', ...(more.details ? { details: more.details } : {}) };
  return { status, headers: more.headers ?? {}, body: { success: false, message: 'refused', error } };
}

function readCall(req: IncomingMessage, bodyText: string): StubCall {
  const url = new URL(req.url ?? '/', 'http://stub');
  const body = (bodyText === '' ? {} : JSON.parse(bodyText)) as Record<string, unknown>;
  const common = { headers: req.headers, body, atMs: performance.now() };
  if (url.pathname.endsWith('/updates')) {
    return { kind: 'update', sessionId: String(body['sessionId']), ...common };
  }
  if (url.pathname.endsWith('/live')) {
    return { kind: 'live', sessionId: url.searchParams.get('sessionId') ?? '', ...common };
  }
  const [sessionId = '', name = ''] = url.pathname.split('/').slice(-2);
  const kind = name === 'start-journey' ? 'start' : name === 'arrived' ? 'arrived' : 'stop';
  return { kind, sessionId, ...common };
}

function properAnswer(call: StubCall, journeys: Map<string, StubJourney>): StubAnswer {
  const { sessionId } = call;
  const now = new Date().toISOString();
  const success = (status: number, data: object, headers: Record<string, string> = {}): StubAnswer => ({
    status,
    headers,
    body: { success: true, data: { sessionId, ...data } },
  });
  const journey = journeys.get(sessionId);
  switch (call.kind) {
    case 'start':
      journeys.set(sessionId, { startedAt: now, isActive: true, changes: 0, location: null });
      return success(201, {
        trainerId: sessionId,
        studentId: sessionId,
        startedAt: now,
        expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
        nextUpdateMs: 200,
      });
    case 'update':
      if (journey?.isActive !== true) return refusalAnswer(404, 'JOURNEY_NOT_ACTIVE');
      if (Number(call.body['sequence']) < Number(journey.location?.['sequence'])) {
        return refusalAnswer(409, 'LOCATION_STALE', {
          details: { lastSequence: journey.location?.['sequence'] },
        });
      }
      journey.changes += 1;
      journey.location = { ...call.body, timestamp: now };
      return success(201, { timestamp: now, ttl: 300, nextUpdateMs: 200 });
    case 'live': {
      const etag = `W/"${journey?.startedAt ?? 'none'}-${journey?.changes ?? 0}"`;
      if (call.headers['if-none-match'] === etag) return { status: 304, headers: { ETag: etag } };
      return success(200, liveData(sessionId, journey), { ETag: etag });
    }
    case 'arrived':
    case 'stop':
      if (journey?.isActive !== true) return refusalAnswer(404, 'JOURNEY_NOT_ACTIVE');
      Object.assign(journey, { isActive: false, changes: journey.changes + 1, location: null });
      return success(200, call.kind === 'stop' ? { stoppedAt: now } : { arrivedAt: now, distance: 10 });
  }
}

function liveData(sessionId: string, journey: StubJourney | undefined): object {
  return {
    trainerId: sessionId,
    isActive: journey?.isActive === true,
    location: journey?.location ?? null,
    lastUpdate: null,
    startedAt: null,
    expiresAt: null,
    distanceMeters: null,
    etaSeconds: null,
    etaLowSeconds: null,
    etaHighSeconds: null,
    ageMs: null,
    freshness: null,
    uncertaintyMeters: null,
    stillSeconds: null,
    trainerProblem: null,
    nextPollMs: 200,
  };
}
