import { aSession, metersNorth, type ASession } from './a-session.js';
import { until } from './until.js';

/** An answer and its time in milliseconds, without the check of Api against OpenAPI. */
export interface TimedAnswer {
  status: number;
  code: string;
  retryAfter: string | null;
  body: Record<string, unknown>;
  ms: number;
}

export type Call = (serviceUrl: string, session: ASession) => Promise<TimedAnswer>;

const base = '/api/v1/admin';
const post = (path: (session: ASession) => string, body?: (session: ASession) => object): Call => {
  return (serviceUrl, session) =>
    timed(`${serviceUrl}${base}${path(session)}`, 'POST', session.trainerToken, body?.(session));
};

/** The five calls of the contract by their permitted callers. */
export const fiveCalls = {
  start: post(({ sessionId }) => `/sessions/${sessionId}/start-journey`),
  update: post(
    () => '/location-tracking/journey/updates',
    ({ sessionId }) => ({ sessionId, ...metersNorth(100), accuracy: 5 }),
  ),
  live: (serviceUrl, { sessionId, studentToken }) => timedLive(serviceUrl, sessionId, studentToken),
  arrived: post(({ sessionId }) => `/sessions/${sessionId}/arrived`),
  stop: post(({ sessionId }) => `/sessions/${sessionId}/stop-journey`),
} satisfies Record<string, Call>;

export const nameOfCalls = Object.keys(fiveCalls) as (keyof typeof fiveCalls)[];

/** Starts a journey, with retries. */
export async function anActiveJourney(serviceUrl: string): Promise<ASession> {
  const session = await aSession();
  // 409: started by a try whose answer was lost.
  const started = async () => [201, 409].includes((await fiveCalls.start(serviceUrl, session)).status);
  await until('the journey is active', started);
  return session;
}

/** All five at once. */
export function makeAllFive(serviceUrl: string, session: ASession): Promise<TimedAnswer[]> {
  return Promise.all(nameOfCalls.map((name) => fiveCalls[name](serviceUrl, session)));
}

export function timedLive(serviceUrl: string, sessionId: string, token: string): Promise<TimedAnswer> {
  return timed(liveUrl(serviceUrl, sessionId), 'GET', token);
}

export function liveUrl(serviceUrl: string, sessionId: string): string {
  return `${serviceUrl}${base}/location-tracking/journey/live?sessionId=${sessionId}`;
}

export function timedGet(url: string): Promise<TimedAnswer> {
  return timed(url, 'GET');
}

/** The first answer within a second, or the fastest of three, because a busy machine may delay one. */
export async function withinASecond(call: () => Promise<TimedAnswer>): Promise<TimedAnswer> {
  let fastest = await call();
  for (let more = 2; more > 0 && fastest.ms >= 1_000; more--) {
    const answer = await call();
    if (answer.ms < fastest.ms) fastest = answer;
  }
  return fastest;
}

/** The answer while a dependency is unavailable. */
export const unavailable = {
  status: 503,
  code: 'STATE_UNAVAILABLE',
  retryAfter: expect.stringMatching(/^[1-9]\d*$/) as string,
};

async function timed(url: string, method: string, token?: string, body?: object): Promise<TimedAnswer> {
  const startedAt = performance.now();
  const response = await fetch(url, {
    method,
    headers: {
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as { error?: { code: string } };
  return {
    status: response.status,
    code: answer.error?.code ?? '',
    retryAfter: response.headers.get('retry-after'),
    body: answer,
    ms: performance.now() - startedAt,
  };
}
