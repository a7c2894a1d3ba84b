import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import { aSession, metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal, type Answer } from '../support/api.js';
import { runService, type RunningService } from '../support/running-service.js';
import { served } from '../support/until.js';
import { tokenFor } from '../support/tokens.js';

// Session ids are random UUIDs and guesses are limited, so 403 may reveal that an id exists, but nothing else.
let service: RunningService;
beforeAll(async () => {
  service = await runService();
});
afterAll(() => service.stop());

type Call = (session: ASession, token: string) => Promise<Answer>;
const calls: Record<string, Call> = {
  start: ({ sessionId }, token) => service.api.start(sessionId, token),
  update: ({ sessionId }, token) => service.api.update(token, { sessionId, ...metersNorth(400) }),
  live: ({ sessionId }, token) => service.api.live(sessionId, token),
  'a waiting live': ({ sessionId }, token) =>
    service.api.live(sessionId, token, { 'If-None-Match': '*', Prefer: 'wait=20' }),
  arrived: ({ sessionId }, token) =>
    service.api.arrived(sessionId, token, { 'Idempotency-Key': 'the-key-of-the-trainer' }),
  stop: ({ sessionId }, token) =>
    service.api.stop(sessionId, token, { 'Idempotency-Key': 'the-key-of-the-trainer' }),
};

const states: Record<string, () => Promise<ASession>> = {
  'before the start': () => aSession(),
  'on the way': aTripOnTheWay,
  'after the end': async () => {
    const session = await aTripOnTheWay();
    data(await served(() => service.api.stop(session.sessionId, session.trainerToken)));
    return session;
  },
};

/** A role that may not make a call gets 403 in every state. */
const expected: Record<string, Record<string, Record<string, number>>> = {
  'another trainer': {
    'before the start': { start: 403, update: 404, live: 403, arrived: 404, stop: 404 },
    'on the way': { start: 403, update: 403, live: 403, arrived: 403, stop: 403 },
    'after the end': { start: 403, update: 410, live: 403, arrived: 410, stop: 410 },
  },
  'another student': always({ start: 403, update: 403, live: 403, arrived: 403, stop: 403 }),
};

const cases = Object.entries(expected).flatMap(([who, byState]) =>
  Object.entries(byState).flatMap(([when, byCall]) =>
    Object.entries({ ...byCall, 'a waiting live': byCall['live'] ?? 0 }).map(
      ([call, status]) => [who, call, when, status] as const,
    ),
  ),
);

test.each(cases)('%s who calls %s %s gets %d and no data', async (who, call, when, status) => {
  const session = await (states[when] as (typeof states)[string])();
  const before = await seenByTheStudent(session);
  const token = await tokenFor(randomUUID(), who === 'another trainer' ? 'trainer' : 'student');
  const answer = await served(() => (calls[call] as Call)(session, token));
  expect(answer.status).toBe(status);
  expect(refusal(answer).details).toBeUndefined();
  expect(answer.headers['etag']).toBeUndefined();
  const { sessionId, trainerId, studentId } = session;
  const said = JSON.stringify(answer.body);
  expect(
    [sessionId, trainerId, studentId, 'cancelled', '2026-'].filter((text) => said.includes(text)),
  ).toEqual([]);
  expect(await seenByTheStudent(session)).toEqual(before);
});

test('the trainer of a journey, and an admin who stops it, get the reason and time of its end', async () => {
  const session = await (states['after the end'] as () => Promise<ASession>)();
  const details = { reason: 'cancelled', endedAt: expect.any(String) as string };
  const admin = await tokenFor(randomUUID(), 'admin');
  const { sessionId, trainerToken } = session;
  for (const answer of [
    await calls['update']?.(session, trainerToken),
    await calls['arrived']?.(session, trainerToken),
    await service.api.stop(sessionId, trainerToken),
    await service.api.stop(sessionId, admin),
  ]) {
    expect(refusal(answer as Answer)).toEqual({ status: 410, code: 'JOURNEY_ENDED', details });
  }
});

test.each([10, 149, 151, 5_000])(
  'another trainer learns nothing about the home of a journey %d m from it',
  async (meters) => {
    const session = await aTripOnTheWay(meters);
    const token = await tokenFor(randomUUID(), 'trainer');
    for (const call of ['arrived', 'update', 'live']) {
      const answer = await (calls[call] as Call)(session, token);
      expect(refusal(answer)).toEqual({ status: 403, code: 'FORBIDDEN', details: undefined });
    }
  },
);

async function aTripOnTheWay(meters = 500): Promise<ASession> {
  const session = await aJourney(service.api);
  const { sessionId, trainerToken } = session;
  data(
    await served(() => service.api.update(trainerToken, { sessionId, ...metersNorth(meters), sequence: 1 })),
  );
  return session;
}

/** What does not change with time. */
async function seenByTheStudent({ sessionId, studentToken }: ASession) {
  const { isActive, location, startedAt, endedReason, endedAt } = data(
    await served(() => service.api.live(sessionId, studentToken)),
  );
  return { isActive, location, startedAt, endedReason, endedAt };
}

function always(byCall: Record<string, number>): Record<string, Record<string, number>> {
  return Object.fromEntries(Object.keys(states).map((state) => [state, byCall]));
}
