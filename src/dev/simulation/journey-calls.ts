import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import {
  JourneyArrived,
  JourneyStarted,
  JourneyStopped,
  LiveJourney,
  PositionRecorded,
} from '../../contract/responses.js';
import { ErrorAnswer, type ErrorCode } from '../../contract/errors.js';
import type { Fix } from './drive.js';

export type CallOutcome<Data> =
  | { kind: 'done'; data: Data; etag: string | undefined }
  | { kind: 'unchanged' }
  | { kind: 'refused'; status: number; code: ErrorCode; retryAfterMs: number | undefined }
  /** No answer, or one that is not of the contract. */
  | { kind: 'failed'; reason: string };

export interface SentPosition extends Fix {
  sequence: number;
  ageMs: number;
}

interface Call<Data> {
  method: 'GET' | 'POST';
  path: string;
  token: string;
  answer: z.ZodType<Data>;
  body?: object;
  headers?: Record<string, string>;
}

const deadlineMs = 10_000;

/** The five calls as the apps make them, over HTTP, each answer checked against the contract. */
export class JourneyCalls {
  readonly #baseUrl: string;

  constructor(serviceUrl: string) {
    this.#baseUrl = `${serviceUrl}/api/v1/admin`;
  }

  start(token: string, sessionId: string) {
    const headers = { 'idempotency-key': randomUUID() };
    return this.#call({
      method: 'POST',
      path: `/sessions/${sessionId}/start-journey`,
      token,
      answer: JourneyStarted,
      headers,
    });
  }

  update(token: string, sessionId: string, position: SentPosition) {
    const body = { sessionId, ...position };
    return this.#call({
      method: 'POST',
      path: '/location-tracking/journey/updates',
      token,
      answer: PositionRecorded,
      body,
    });
  }

  live(token: string, sessionId: string, etag: string | undefined) {
    const path = `/location-tracking/journey/live?sessionId=${sessionId}`;
    const headers: Record<string, string> = etag === undefined ? {} : { 'if-none-match': etag };
    return this.#call({ method: 'GET', path, token, answer: LiveJourney, headers });
  }

  arrived(token: string, sessionId: string) {
    return this.#call({
      method: 'POST',
      path: `/sessions/${sessionId}/arrived`,
      token,
      answer: JourneyArrived,
    });
  }

  stop(token: string, sessionId: string) {
    return this.#call({
      method: 'POST',
      path: `/sessions/${sessionId}/stop-journey`,
      token,
      answer: JourneyStopped,
    });
  }

  async #call<Data>(call: Call<Data>): Promise<CallOutcome<Data>> {
    try {
      const response = await fetch(this.#baseUrl + call.path, {
        method: call.method,
        headers: {
          authorization: `Bearer ${call.token}`,
          ...(call.body ? { 'content-type': 'application/json' } : {}),
          ...call.headers,
        },
        ...(call.body ? { body: JSON.stringify(call.body) } : {}),
        signal: AbortSignal.timeout(deadlineMs),
      });
      if (response.status === 304) return { kind: 'unchanged' };
      return outcomeOf(response, await response.json(), call.answer);
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      return { kind: 'failed', reason: cause instanceof Error ? cause.message : String(cause) };
    }
  }
}

function outcomeOf<Data>(response: Response, body: unknown, schema: z.ZodType<Data>): CallOutcome<Data> {
  if (response.ok) {
    const data = schema.parse((body as { data?: unknown }).data);
    return { kind: 'done', data, etag: response.headers.get('etag') ?? undefined };
  }
  const { code } = ErrorAnswer.parse(body).error;
  const retryAfter = response.headers.get('retry-after');
  const retryAfterMs = retryAfter === null ? undefined : Number(retryAfter) * 1_000;
  return { kind: 'refused', status: response.status, code, retryAfterMs };
}
