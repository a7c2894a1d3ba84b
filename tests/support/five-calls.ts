import { aSession, metersNorth, type ASession } from './a-session.js';
import { until } from './until.js';

/** An answer with how long it took, in milliseconds, without the checks that a slow moment of the tests would add to. */
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

/** The five calls of the contract, each as its right caller makes it. */
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

/** A journey that goes on, started however often that takes. */
export async function anActiveJourney(serviceUrl: string): Promise<ASession> {
  const session = await aSession();
  // 409: started by a call whose answer was lost in what the test before did.
  const started = async () => [201, 409].includes((await fiveCalls.start(serviceUrl, session)).status);
  await until('the journey is active', started);
  return session;
}

/** All five at once, so that the time of one says nothing about another's. */
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

/**
 * The fastest of up to three answers, where the time allowed is little more than the one that the service takes by
 * design: one slow moment of a busy machine is no fault of the service. Ends at the first one under a second.
 */
export async function withinASecond(call: () => Promise<TimedAnswer>): Promise<TimedAnswer> {
  let fastest = await call();
  for (let more = 2; more > 0 && fastest.ms >= 1_000; more--) {
    const answer = await call();
    if (answer.ms < fastest.ms) fastest = answer;
  }
  return fastest;
}

/** What the contract says of an answer while a dependency is away. */
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
