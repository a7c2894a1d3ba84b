import type { z } from 'zod';
import { ErrorAnswer, type ErrorCode } from '../../contract/errors.js';
import {
  JourneyArrived,
  JourneyStarted,
  JourneyStopped,
  LiveJourney,
  PositionRecorded,
} from '../../contract/responses.js';
import { statusOf } from '../../http/statuses.js';

const successes = {
  start: { status: 201, schema: JourneyStarted },
  update: { status: 201, schema: PositionRecorded },
  live: { status: 200, schema: LiveJourney },
  arrived: { status: 200, schema: JourneyArrived },
  stop: { status: 200, schema: JourneyStopped },
} as const;
export type CallKind = keyof typeof successes;

export interface Answer {
  status: number;
  header(name: string): string | null;
  text: string;
}

/** What an answer says, compared with the contract. */
export type Checked =
  | { kind: 'success'; data: { sessionId: string } }
  | { kind: 'unchanged' }
  | { kind: 'refused'; code: ErrorCode }
  | { kind: 'invalid'; problem: string };

export function checkAnswer(call: CallKind, sessionId: string, answer: Answer): Checked {
  if (call === 'live' && answer.status === 304) return { kind: 'unchanged' };
  let body: unknown;
  try {
    body = JSON.parse(answer.text);
  } catch {
    return invalid('not JSON');
  }
  const { status, schema } = successes[call];
  if (answer.status !== status) return checkRefusal(body, answer);
  const { success, data } = Object(body) as { success?: unknown; data?: unknown };
  if (success !== true) return invalid('not the envelope of a success');
  const checked = schema.safeParse(data);
  if (!checked.success) return invalid(firstIssue(checked.error));
  if (checked.data.sessionId !== sessionId) return invalid('the answer of another session');
  if (call === 'live' && answer.header('etag') === null) return invalid('no ETag');
  return { kind: 'success', data: checked.data };
}

function checkRefusal(body: unknown, answer: Answer): Checked {
  const checked = ErrorAnswer.safeParse(body);
  if (!checked.success) return invalid(`not the envelope of an error: ${firstIssue(checked.error)}`);
  const { code } = checked.data.error;
  const { status } = answer;
  if (statusOf[code] !== status) return invalid(`${code} with status ${status}`);
  const mustSayWhen = status === 429 || status === 503;
  if (mustSayWhen && !/^\d+$/.test(answer.header('retry-after') ?? '')) {
    return invalid(`${code} without Retry-After`);
  }
  return { kind: 'refused', code };
}

function invalid(problem: string): Checked {
  return { kind: 'invalid', problem };
}

function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`;
}
