import type { Express, Request, Response } from 'express';
import type { z } from 'zod';
import { IdempotencyKey, LiveQuery, PositionUpdate, SessionParams } from '../contract/requests.js';
import type { Caller } from '../journey/journey.js';
import type { JourneyService } from '../journey/journey-service.js';
import { isPermitted, permittedRoles, type Call } from '../journey/permissions.js';
import { Refusal, send, type Answer } from './answers.js';
import type { Authenticator } from './authentication.js';
import { ignoreBody, readJson } from './json-body.js';
import {
  arriveAnswer,
  liveAnswer,
  recordAnswer,
  startAnswer,
  stopAnswer,
  type AnswerRules,
} from './outcome-answers.js';

export interface RoutesDependencies {
  journeys: JourneyService;
  authenticator: Authenticator;
  rules: AnswerRules;
}

const BASE_PATH = '/api/v1/admin';

/** A caller hears within a second, also where token keys, Postgres and Redis are asked one after the other. */
const ANSWER_WITHIN_MS = 900;

/** Adds the five calls to the app itself: a router of their own would look at each address once more. */
export function addJourneyRoutes(app: Express, { journeys, authenticator, rules }: RoutesDependencies): void {
  /** Token, role, then the work: no body is read for a caller who may not make the call. */
  const route = (
    method: 'get' | 'post',
    path: string,
    call: Call,
    work: (caller: Caller, req: Request) => Promise<Answer>,
  ) => {
    app[method](BASE_PATH + path, async (req: Request, res: Response) => {
      req.routeLabel = path;
      const known = authenticator.authenticate(req);
      const caller = known instanceof Promise ? await known : known;
      if (!isPermitted(call, caller.role)) {
        throw new Refusal('FORBIDDEN', `This call is for: ${permittedRoles[call].join(', ')}.`);
      }
      send(req, res, await work(caller, req));
    });
    app.all(BASE_PATH + path, (req: Request) => {
      req.routeLabel = path;
      throw methodNotAllowed(method === 'get' ? 'GET, HEAD' : 'POST');
    });
  };

  // The two calls that every journey makes every few seconds come first: Express looks at the routes in order.
  route('post', '/location-tracking/journey/updates', 'recordPosition', async (caller, req) => {
    const update = parse(PositionUpdate, await readJson(req));
    return recordAnswer(await journeys.recordPosition(caller, update), update, rules);
  });
  route('get', '/location-tracking/journey/live', 'watch', async (caller, req) => {
    const { sessionId } = parse(LiveQuery, req.query);
    return liveAnswer(
      await journeys.watch(caller, sessionId, remainingMs(req)),
      req.headers['if-none-match'],
    );
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
}

export function methodNotAllowed(allowed: string): Refusal {
  return new Refusal('METHOD_NOT_ALLOWED', `This address takes ${allowed}.`, undefined, { Allow: allowed });
}

function remainingMs(req: Request): number {
  return ANSWER_WITHIN_MS - (performance.now() - req.startedAtMs);
}

async function sessionCall(req: Request): Promise<{ sessionId: string; key: string | undefined }> {
  await ignoreBody(req);
  const { sessionId } = parse(SessionParams, req.params);
  return { sessionId, key: parse(IdempotencyKey, req.get('Idempotency-Key'), 'Idempotency-Key') };
}

/** @throws Refusal VALIDATION_FAILED that names each bad field, below root where the value is no object */
function parse<Schema extends z.ZodType>(schema: Schema, value: unknown, root = 'body'): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => ({
    path: issue.path.join('.') || root,
    message: issue.message,
  }));
  const fields = [...new Set(problems.map((problem) => problem.path))].join(', ');
  throw new Refusal('VALIDATION_FAILED', `Not of the expected form: ${fields}.`, problems);
}
