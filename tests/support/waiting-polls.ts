import { aJourney } from './a-journey.js';
import { metersNorth, type ASession } from './a-session.js';
import type { Answer, Api } from './api.js';
import { metric, type RunningService } from './running-service.js';
import { served, until } from './until.js';

/** Settings by which a test may post as often as it likes. */
export const OFTEN = { UPDATE_INTERVAL_MS: '1', UPDATE_TOLERANCE_MS: '3600000' };

/** Far longer than any test waits: an answer before that is no end of the wait. */
export const LONG_SECONDS = 25;

/** An answer with how long it took, in milliseconds. */
export type TimedPoll = Answer & { ms: number };

type Service = Pick<RunningService, 'api' | 'metricsUrl'>;

export interface PollOptions {
  /** The student's, unless told. */
  token?: string;
  /** Prefer: wait=LONG_SECONDS, unless told; null: no preference. */
  prefer?: string | null;
}

/** A live poll of one who has the state of this ETag, or none, and would wait for the next. */
export async function poll(
  { api }: Pick<Service, 'api'>,
  { sessionId, studentToken }: ASession,
  etag: string | undefined,
  { token = studentToken, prefer = `wait=${LONG_SECONDS}` }: PollOptions = {},
): Promise<TimedPoll> {
  const startedAt = performance.now();
  const answer = await api.live(sessionId, token, {
    ...(etag === undefined ? {} : { 'If-None-Match': etag }),
    ...(prefer === null ? {} : { Prefer: prefer }),
  });
  return { ...answer, ms: performance.now() - startedAt };
}

/** The ETag of the state as it is now. */
export async function etagOf(service: Pick<Service, 'api'>, session: ASession): Promise<string> {
  const { headers } = await served(() => poll(service, session, undefined, { prefer: null }));
  if (headers['etag'] === undefined) throw new Error('no ETag');
  return headers['etag'];
}

/** Resolves once so many polls wait in the service, none of them being on its way any more. */
export async function untilWaiting(service: Pick<Service, 'metricsUrl'>, count: number): Promise<void> {
  await until(
    `${count} polls wait`,
    async () => (await metric(service, 'live_polls_waiting')) === count,
    15_000,
  );
}

/** More at once would be late for Redis' deadline where the machine is busy otherwise, and be refused instead of waiting. */
export const COME_TOGETHER = 40;

export interface WaitingStudent {
  answer: Promise<TimedPoll>;
  /** Of the state that the student knew. */
  etag: string;
}

/** A poll of each session's student that waits by now for what comes after the present state. */
export async function waitingStudents(
  service: Service,
  sessions: ASession[],
  options: PollOptions = {},
): Promise<WaitingStudent[]> {
  const before = await metric(service, 'live_polls_waiting');
  const students: WaitingStudent[] = [];
  while (students.length < sessions.length) {
    const some = sessions.slice(students.length, students.length + COME_TOGETHER);
    const etags = await Promise.all(some.map((session) => etagOf(service, session)));
    for (const [index, session] of some.entries()) {
      const etag = etags[index] ?? '';
      const answer = poll(service, session, etag, options);
      // Whoever awaits it sees it fail; until then it is no unhandled rejection.
      answer.catch(() => undefined);
      students.push({ answer, etag });
    }
    await untilWaiting(service, before + students.length);
  }
  return students;
}

export async function aWaitingStudent(
  service: Service,
  session: ASession,
  options: PollOptions = {},
): Promise<WaitingStudent> {
  const [student] = await waitingStudents(service, [session], options);
  return student as WaitingStudent;
}

/** A few at a time: a start asks Postgres, which a busy machine would answer too late for two hundred at once. */
export async function manyOf<T>(count: number, make: () => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  while (made.length < count) {
    const few = Math.min(10, count - made.length);
    made.push(...(await Promise.all(Array.from({ length: few }, make))));
  }
  return made;
}

export function manyJourneys(api: Api, count: number): Promise<ASession[]> {
  return manyOf(count, () => aJourney(api));
}

/** Positions that a trainer who walks home could send; each is known by its sequence. */
export function positionOf({ sessionId }: ASession, sequence: number): Record<string, unknown> {
  return { sessionId, ...metersNorth(900 - sequence / 10), accuracy: 10, sequence };
}

/** What a live answer shows of the position, by its sequence; null where there is none. */
export function shownSequence({ body }: Answer): number | null {
  const live = body['data'] as { location?: { sequence?: number } | null } | undefined;
  return live?.location?.sequence ?? null;
}
