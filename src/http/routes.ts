import type { Express, Request, RequestHandler, Response } from 'express';
import type { z } from 'zod';
import { FleetQuery } from '../contract/fleet.js';
import {
  IdempotencyKey,
  LiveQuery,
  SessionParams,
  updateSchemaOf,
  type Heartbeat,
  type PositionUpdate,
} from '../contract/requests.js';
import type { Caller } from '../journeys/journey.js';
import type { JourneyService } from '../journeys/journey-service.js';
import type { Call } from '../journeys/permissions.js';
import type { FleetService } from '../live/fleet-service.js';
import type { LiveService } from '../live/live-service.js';
import type { WaitingPoll } from '../live/waiting-poll.js';
import { HeldPoll } from './held-poll.js';
import { authorize, type Authenticator } from './middleware/authentication.js';
import { readJson, skipBody } from './middleware/body.js';
import type { Draining } from './middleware/draining.js';
import {
  arriveResponse,
  diagnosisResponse,
  fleetResponse,
  liveResponse,
  recordResponse,
  startResponse,
  stopResponse,
  type ResponseRules,
} from './outcome-responses.js';
import { preferredWaitSeconds } from './preferences.js';
import { ApiError, send, type ApiResponse } from './responses.js';

export interface RoutesDependencies {
  journeys: JourneyService;
  live: LiveService;
  fleet: FleetService;
  authenticator: Authenticator;
  rules: ResponseRules;
  closeIfDraining: Draining;
}

const BASE_PATH = '/api/v1/admin';
export const UPDATES_ROUTE = '/location-tracking/journey/updates';
export const LIVE_ROUTE = '/location-tracking/journey/live';
const JOURNEYS_ROUTE = '/location-tracking/journeys';
/** The label of waiting polls in metrics and logs: a wait is no slow response. */
export const WAITING_ROUTE = `${LIVE_ROUTE} (waiting)`;

/** Callers get a response within a second, even if token keys, Postgres and Redis are asked one after the other. */
const RESPONSE_TIMEOUT_MS = 900;

interface Route {
  method: 'get' | 'post';
  path: string;
  call: Call;
  handler: RequestHandler;
}

/** All calls; the most frequent ones first, because Express tries the routes in order. */
export function addJourneyRoutes(app: Express, dependencies: RoutesDependencies): void {
  const { journeys, fleet, rules, authenticator } = dependencies;
  const routes: Route[] = [
    {
      method: 'post',
      path: UPDATES_ROUTE,
      call: 'recordPosition',
      handler: async (req, res) => {
        const body = await readJson(req);
        const update = parseUpdate(journeys, req, body);
        const outcome = await journeys.recordUpdate(req.caller, update);
        send(req, res, recordResponse(outcome, update.sessionId, rules));
      },
    },
    { method: 'get', path: LIVE_ROUTE, call: 'watch', handler: livePoll(dependencies) },
    sessionCall('startJourney', 'start-journey', async ({ caller, sessionId, key, timeoutMs }) =>
      startResponse(await journeys.start(caller, sessionId, key, timeoutMs), sessionId, rules),
    ),
    sessionCall('arrive', 'arrived', async ({ caller, sessionId, key }) =>
      arriveResponse(await journeys.arrive(caller, sessionId, key), sessionId, rules),
    ),
    sessionCall('stop', 'stop-journey', async ({ caller, sessionId, key }) =>
      stopResponse(await journeys.stop(caller, sessionId, key), sessionId),
    ),
    ...fleetRoutes(fleet),
  ];
  for (const { method, path, call, handler } of routes) {
    app[method](BASE_PATH + path, authorize(authenticator, call, path), handler);
  }
  for (const { method, path } of routes) {
    app.all(BASE_PATH + path, (req) => {
      req.routeLabel = path;
      throw methodNotAllowed(method === 'get' ? 'GET, HEAD' : 'POST');
    });
  }
}

/** For support. */
function fleetRoutes(fleet: FleetService): Route[] {
  return [
    {
      method: 'get',
      path: JOURNEYS_ROUTE,
      call: 'listJourneys',
      handler: async (req, res) => {
        send(req, res, fleetResponse(await fleet.list(parse(FleetQuery, req.query))));
      },
    },
    {
      method: 'get',
      path: `${JOURNEYS_ROUTE}/:sessionId`,
      call: 'diagnoseJourney',
      handler: async (req, res) => {
        const { sessionId } = parse(SessionParams, req.params);
        req.sessionId = sessionId;
        send(req, res, diagnosisResponse(await fleet.find(sessionId)));
      },
    },
  ];
}

interface SessionCall {
  caller: Caller;
  sessionId: string;
  /** The caller's idempotency key. */
  key: string | undefined;
  timeoutMs: number;
}

/** A call without a body for one session, which may be repeated with an Idempotency-Key. */
function sessionCall(call: Call, name: string, respond: (call: SessionCall) => Promise<ApiResponse>): Route {
  const handler: RequestHandler = async (req, res) => {
    await skipBody(req);
    const { sessionId } = parse(SessionParams, req.params);
    req.sessionId = sessionId;
    const key = parse(IdempotencyKey, req.get('Idempotency-Key'), 'Idempotency-Key');
    const { caller } = req;
    send(req, res, await respond({ caller, sessionId, key, timeoutMs: remainingMs(req) }));
  };
  return { method: 'post', path: `/sessions/:sessionId/${name}`, call, handler };
}

/** A refused body counts for its session, if that can be read. @throws ApiError VALIDATION_FAILED */
function parseUpdate(journeys: JourneyService, req: Request, body: unknown): PositionUpdate | Heartbeat {
  try {
    const update = parse(updateSchemaOf(body), body);
    req.sessionId = update.sessionId;
    return update;
  } catch (error) {
    const session = SessionParams.safeParse(body).data;
    if (session !== undefined) {
      req.sessionId = session.sessionId;
      journeys.refuseUpdate(req.caller, session.sessionId);
    }
    throw error;
  }
}

/** Responds at once, or with Prefer: wait as soon as the state is another than If-None-Match names. */
function livePoll({ live, closeIfDraining }: RoutesDependencies): RequestHandler {
  return async (req, res, next) => {
    const { caller } = req;
    const { sessionId } = parse(LiveQuery, req.query);
    req.sessionId = sessionId;
    const ifNoneMatch = req.headers['if-none-match'];
    const seconds = ifNoneMatch === undefined ? null : preferredWaitSeconds(req.headers['prefer']);
    const timeoutMs = remainingMs(req);
    if (seconds === null) {
      const outcome = await live.read(caller, sessionId, timeoutMs);
      send(req, res, liveResponse(outcome, ifNoneMatch, null));
      return;
    }
    req.routeLabel = WAITING_ROUTE;
    const poll = new HeldPoll(req, res, next, { sessionId, seconds, timeoutMs, closeIfDraining });
    const waiting = live.wait(poll);
    if (waiting !== null) endWithCaller(req, res, waiting);
  };
}

/** A caller that closes its side may still read the response, or it has gone: it is answered at once. */
function endWithCaller(req: Request, res: Response, waiting: WaitingPoll): void {
  // Several polls may be pipelined on one connection.
  const socket = req.socket.setMaxListeners(0);
  const release = () => {
    waiting.release();
  };
  if (socket.readableEnded) release();
  else socket.once('end', release);
  res.on('close', () => {
    socket.off('end', release);
    waiting.cancel();
  });
}

export function methodNotAllowed(allowed: string): ApiError {
  return new ApiError('METHOD_NOT_ALLOWED', `Allowed methods: ${allowed}.`, undefined, { Allow: allowed });
}

function remainingMs(req: Request): number {
  return RESPONSE_TIMEOUT_MS - (performance.now() - req.startedAtMs);
}

/** @throws ApiError VALIDATION_FAILED that names each invalid field; root: the name of the value itself */
function parse<Schema extends z.ZodType>(schema: Schema, value: unknown, root = 'body'): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => ({
    path: path.join('.') || root,
    message,
  }));
  const fields = [...new Set(problems.map(({ path }) => path))].join(', ');
  throw new ApiError('VALIDATION_FAILED', `Validation failed: ${fields}.`, problems);
}
