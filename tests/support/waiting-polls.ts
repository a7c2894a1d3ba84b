import { aJourney } from './a-journey.js';
import { metersNorth, type ASession } from './a-session.js';
import { data, type Answer, type Api } from './api.js';
import { metric, type RunningService } from './running-service.js';
import { served, until } from './until.js';

/** Updates as often as a test likes, and Redis' longest timeout, because hundreds of polls share a busy machine. */
export const OFTEN = {
  UPDATE_INTERVAL_MS: '1',
  UPDATE_TOLERANCE_MS: '3600000',
  REDIS_COMMAND_TIMEOUT_MS: '800',
};

/** Longer than any test waits. */
export const LONG_SECONDS = 25;

/** An answer with how long it took, in milliseconds. */
export type TimedPoll = Answer & { ms: number };

type Service = Pick<RunningService, 'api' | 'metricsUrl'>;

export interface PollOptions {
  /** The student's by default. */
  token?: string;
  /** wait=LONG_SECONDS by default; null: no preference. */
  prefer?: string | null;
}

/** A live poll that waits for a change of the state of this ETag. */
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

/** The ETag of the current state. */
export async function etagOf(service: Pick<Service, 'api'>, session: ASession): Promise<string> {
  const { headers } = await served(() => poll(service, session, undefined, { prefer: null }));
  if (headers['etag'] === undefined) throw new Error('no ETag');
  return headers['etag'];
}

/** Resolves once so many polls wait in the service. */
export async function untilWaiting(service: Pick<Service, 'metricsUrl'>, count: number): Promise<void> {
  await until(
    `${count} polls wait`,
    async () => (await metric(service, 'live_polls_waiting')) === count,
    15_000,
  );
}

/** More at once miss Redis' timeout on a busy machine and are refused. */
export const COME_TOGETHER = 40;

export interface WaitingStudent {
  answer: Promise<TimedPoll>;
  /** Of the state that the student knew. */
  etag: string;
}

/** A poll of each session's student; all of them wait already. */
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
      // Its failure is handled where it is awaited.
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

/** A few at a time, because a busy machine does not start hundreds of journeys within the timeout of Postgres. */
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

/** Posts the next position; repeats it while a busy machine makes Redis miss its timeout. */
export async function move(
  { api }: Pick<Service, 'api'>,
  session: ASession,
  sequence: number,
  more: object = {},
): Promise<Record<string, unknown>> {
  return data(
    await served(() => api.update(session.trainerToken, { ...positionOf(session, sequence), ...more })),
  );
}

export async function aJourneyWithPosition(service: Pick<Service, 'api'>): Promise<ASession> {
  const session = await aJourney(service.api);
  await move(service, session, 1);
  return session;
}

/** A plausible position, identified by its sequence. */
export function positionOf({ sessionId }: ASession, sequence: number): Record<string, unknown> {
  return { sessionId, ...metersNorth(900 - sequence / 10), accuracy: 10, sequence };
}

/** The sequence of the position that a live answer shows. */
export function shownSequence({ body }: Answer): number | null {
  const live = body['data'] as { location?: { sequence?: number } | null } | undefined;
  return live?.location?.sequence ?? null;
}
