import type { z } from 'zod';
import {
  JourneyArrived,
  JourneyStarted,
  JourneyStopped,
  LiveJourney,
  PositionRecorded,
} from '../../src/contract/responses.js';
import { ErrorAnswer, type ErrorCode } from '../../src/contract/errors.js';
import { statusOf } from '../../src/http/statuses.js';
import type { Incoming } from '../support/connections.js';

export const callKinds = ['start', 'update', 'live', 'arrived', 'stop'] as const;
export type CallKind = (typeof callKinds)[number];

/** A live answer, with what is not in the contract of every version. */
export type LiveData = z.infer<typeof LiveJourney> & {
  etaLowSeconds?: number | null;
  etaHighSeconds?: number | null;
};

interface DataOf {
  start: z.infer<typeof JourneyStarted>;
  update: z.infer<typeof PositionRecorded>;
  live: LiveData;
  arrived: z.infer<typeof JourneyArrived>;
  stop: z.infer<typeof JourneyStopped>;
}

export type Reading<Kind extends CallKind = CallKind> =
  | { kind: 'done'; data: DataOf[Kind]; etag: string | undefined; hasWaited: boolean }
  | { kind: 'unchanged'; hasWaited: boolean; nextPollMs: number | undefined }
  | { kind: 'refused'; status: number; code: ErrorCode; retryAfterMs: number | undefined }
  /** An answer that the contract does not know. */
  | { kind: 'garbled'; status: number; problem: string }
  | Exclude<Incoming, { kind: 'answer' }>;

type Answer = Extract<Incoming, { kind: 'answer' }>;

const expected = {
  start: { status: 201, schema: JourneyStarted },
  update: { status: 201, schema: PositionRecorded },
  live: { status: 200, schema: LiveJourney },
  arrived: { status: 200, schema: JourneyArrived },
  stop: { status: 200, schema: JourneyStopped },
} as const;

/** A look at each answer is cheap, the schema is not: it sees one in this many of the frequent ones. */
const frequentIn = 32;
let seen = 0;

/** What an answer says, once it was compared with the contract. */
export function readAnswer<Kind extends CallKind>(
  call: Kind,
  sessionId: string,
  incoming: Incoming,
): Reading<Kind> {
  if (incoming.kind !== 'answer') return incoming;
  const { status } = incoming;
  const reading = status === 304 && call === 'live' ? unchanged(incoming) : parsed(call, sessionId, incoming);
  return typeof reading === 'string' ? { kind: 'garbled', status, problem: reading } : reading;
}

/** The reading, or what is wrong with the answer. */
function parsed<Kind extends CallKind>(
  call: Kind,
  sessionId: string,
  answer: Answer,
): Reading<Kind> | string {
  let body: unknown;
  try {
    body = JSON.parse(answer.body);
  } catch {
    return 'not JSON';
  }
  const { status, schema } = expected[call];
  if (answer.status !== status) return refusal(body, answer);
  const { success, data } = (body ?? {}) as { success?: unknown; data?: unknown };
  if (success !== true || typeof data !== 'object' || data === null) return 'not the envelope of a success';
  const problem = call === 'live' ? liveProblem(data, answer) : pauseProblem(call, data);
  if (problem !== undefined) return problem;
  if ((data as { sessionId?: unknown }).sessionId !== sessionId) return "another session's answer";
  seen += 1;
  if ((call !== 'update' && call !== 'live') || seen % frequentIn === 0) {
    const checked = schema.safeParse(data);
    if (!checked.success) return firstIssue(checked.error);
  }
  const { etag } = answer.headers;
  return {
    kind: 'done',
    data: data as DataOf[Kind],
    etag: typeof etag === 'string' ? etag : undefined,
    hasWaited: answer.headers['preference-applied'] !== undefined,
  };
}

function liveProblem(data: object, { headers }: Answer): string | undefined {
  const { isActive, location, nextPollMs } = data as Partial<LiveData>;
  if (typeof isActive !== 'boolean') return 'isActive is not a boolean';
  if (!isPause(nextPollMs)) return 'nextPollMs is not a time to wait';
  const isPlace = location && Number.isFinite(location.latitude) && Number.isFinite(location.longitude);
  if (location !== null && !isPlace) return 'location is neither a position nor null';
  if (!isActive && location !== null) return 'a location without a journey';
  return typeof headers['etag'] === 'string' ? undefined : 'no ETag';
}

function pauseProblem(call: CallKind, data: object): string | undefined {
  if (call !== 'update' && call !== 'start') return undefined;
  const { nextUpdateMs } = data as { nextUpdateMs?: unknown };
  return isPause(nextUpdateMs) ? undefined : 'nextUpdateMs is not a time to wait';
}

function isPause(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

function unchanged({ headers }: Answer): Reading<never> {
  const next = headers['next-poll-ms'];
  return {
    kind: 'unchanged',
    hasWaited: headers['preference-applied'] !== undefined,
    nextPollMs: typeof next === 'string' && /^\d+$/.test(next) ? Number(next) : undefined,
  };
}

function refusal(body: unknown, { status, headers }: Answer): Reading<never> | string {
  const checked = ErrorAnswer.safeParse(body);
  if (!checked.success) return `not the envelope of an error: ${firstIssue(checked.error)}`;
  const { code, details } = checked.data.error;
  if (statusOf[code] !== status) return `${code} with status ${status}`;
  const retryAfterMs = retryTime(headers['retry-after'], details);
  if ((status === 429 || status === 503) && retryAfterMs === undefined) return `${code} without Retry-After`;
  return { kind: 'refused', status, code, retryAfterMs };
}

/** In milliseconds where the details say it; the header has whole seconds. */
function retryTime(header: unknown, details: unknown): number | undefined {
  if (typeof header !== 'string' || !/^\d+$/.test(header)) return undefined;
  const { retryAfterMs } = (details ?? {}) as { retryAfterMs?: unknown };
  return isPause(retryAfterMs) ? retryAfterMs : Number(header) * 1_000;
}

function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`;
}
