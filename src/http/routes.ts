import type { Express, Request, Response } from 'express';
import type { z } from 'zod';
import { IdempotencyKey, LiveQuery, PositionUpdate, SessionParams } from '../contract/requests.js';
import type { Caller } from '../journeys/journey.js';
import type { JourneyService } from '../journeys/journey-service.js';
import type { LiveService } from '../live/live-service.js';
import { isPermitted, permittedRoles, type Call } from '../journeys/permissions.js';
import { ApiError, send, type Answer } from './responses.js';
import type { Authenticator } from './middleware/authentication.js';
import { ignoreBody, readJson } from './middleware/body.js';
import { preferredWaitSeconds } from './preferences.js';
import { StudentsWait, type LaterAnswers } from './students-wait.js';
import {
  arriveAnswer,
  liveAnswer,
  recordAnswer,
  startAnswer,
  stopAnswer,
  type AnswerRules,
} from './outcome-responses.js';

export interface RoutesDependencies extends Omit<LaterAnswers, 'requestPrototype'> {
  journeys: JourneyService;
  live: LiveService;
  authenticator: Authenticator;
  rules: AnswerRules;
}

const BASE_PATH = '/api/v1/admin';

/** In metrics and logs: a live poll with Prefer: wait. */
export const WAITING_ROUTE = '/location-tracking/journey/live (waiting)';

/** A caller hears within a second, also where token keys, Postgres and Redis are asked one after the other. */
const ANSWER_WITHIN_MS = 900;

/** The address that the apps send, which needs no reader of queries and no schema: 3 of a poll's 60 µs. */
const PLAIN_LIVE_QUERY = /^[^?]+\?sessionId=([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})$/;

/** Null: it is answered later, by what holds it. */
type Work = (caller: Caller, req: Request, res: Response) => Promise<Answer | null>;

/** Adds the five calls to the app itself: a router of their own would look at each address once more. */
export function addJourneyRoutes(app: Express, dependencies: RoutesDependencies): void {
  const { journeys, live, rules } = dependencies;
  const later = { ...dependencies, requestPrototype: app.request };
  const paths: [path: string, allowed: string][] = [];
  const route = (method: 'get' | 'post', path: string, call: Call, work: Work) => {
    addRoute(app, dependencies, { method, path, call, work });
    paths.push([path, method === 'get' ? 'GET, HEAD' : 'POST']);
  };

  // The two calls that every journey makes every few seconds come first: Express looks at the routes in order.
  route('post', '/location-tracking/journey/updates', 'recordPosition', async (caller, req) => {
    const update = parse(PositionUpdate, await readJson(req));
    return recordAnswer(await journeys.recordPosition(caller, update), update, rules);
  });
  route('get', '/location-tracking/journey/live', 'watch', async (caller, req, res) => {
    const sessionId = PLAIN_LIVE_QUERY.exec(req.url)?.[1] ?? parse(LiveQuery, req.query).sessionId;
    const ifNoneMatch = req.headers['if-none-match'];
    const seconds = ifNoneMatch === undefined ? null : preferredWaitSeconds(req.headers['prefer']);
    // A wait is no slow answer: it has a name of its own in metrics and logs.
    if (seconds !== null) req.routeLabel = WAITING_ROUTE;
    const wait = seconds === null ? null : StudentsWait.of(req, res, seconds, ifNoneMatch, later);
    let isHeld = false;
    try {
      const outcome =
        wait === null
          ? await live.now(caller, sessionId, remainingMs(req))
          : await live.next(caller, sessionId, remainingMs(req), wait);
      isHeld = outcome === null;
      return outcome === null ? null : liveAnswer(outcome, ifNoneMatch, seconds);
    } finally {
      if (!isHeld) wait?.answered();
    }
  });
  route('post', '/sessions/:sessionId/start-journey', 'startJourney', async (caller, req) => {
    const { sessionId, key } = await sessionCall(req);
    return startAnswer(
      await journeys.startJourney(caller, sessionId, key, remainingMs(req)),
      sessionId,
      rules,
    );
  });
  route('post', '/sessions/:sessionId/arrived', 'arrive', async (caller, req) => {
    const { sessionId, key } = await sessionCall(req);
    return arriveAnswer(await journeys.arrive(caller, sessionId, key), sessionId, rules);
  });
  route('post', '/sessions/:sessionId/stop-journey', 'stop', async (caller, req) => {
    const { sessionId, key } = await sessionCall(req);
    return stopAnswer(await journeys.stop(caller, sessionId, key), sessionId);
  });
  // After all of them, so that none is looked at in vain.
  for (const [path, allowed] of paths) {
    app.all(BASE_PATH + path, (req: Request) => {
      req.routeLabel = path;
      throw methodNotAllowed(allowed);
    });
  }
}

/** Token, role, then the work: no body is read for a caller who may not make the call. */
function addRoute(
  app: Express,
  { authenticator, isDraining }: RoutesDependencies,
  { method, path, call, work }: { method: 'get' | 'post'; path: string; call: Call; work: Work },
): void {
  app[method](BASE_PATH + path, async (req: Request, res: Response) => {
    req.routeLabel = path;
    const known = authenticator.authenticate(req);
    const caller = known instanceof Promise ? await known : known;
    if (!isPermitted(call, caller.role)) {
      throw new ApiError('FORBIDDEN', `This call is for: ${permittedRoles[call].join(', ')}.`);
    }
    const answer = await work(caller, req, res);
    if (answer === null) return;
    if (isDraining()) res.shouldKeepAlive = false;
    send(req, res, answer);
  });
}

export function methodNotAllowed(allowed: string): ApiError {
  return new ApiError('METHOD_NOT_ALLOWED', `This address takes ${allowed}.`, undefined, { Allow: allowed });
}

function remainingMs(req: Request): number {
  return ANSWER_WITHIN_MS - (performance.now() - req.startedAtMs);
}

async function sessionCall(req: Request): Promise<{ sessionId: string; key: string | undefined }> {
  await ignoreBody(req);
  const { sessionId } = parse(SessionParams, req.params);
  return { sessionId, key: parse(IdempotencyKey, req.get('Idempotency-Key'), 'Idempotency-Key') };
}

/** @throws ApiError VALIDATION_FAILED that names each bad field, below root where the value is no object */
function parse<Schema extends z.ZodType>(schema: Schema, value: unknown, root = 'body'): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => ({
    path: issue.path.join('.') || root,
    message: issue.message,
  }));
  const fields = [...new Set(problems.map((problem) => problem.path))].join(', ');
  throw new ApiError('VALIDATION_FAILED', `Not of the expected form: ${fields}.`, problems);
}
