import { randomInt, randomUUID } from 'node:crypto';
import { aJourney, setStatus } from '../support/a-journey.js';
import { aSession, metersNorth, sessionsPool, type ASession } from '../support/a-session.js';
import { data, refusal, type Answer } from '../support/api.js';
import { MovableClock } from '../support/movable-clock.js';
import { exists, keyOf, keysLike } from '../support/redis-of-the-run.js';
import { runService, type RunningService } from '../support/running-service.js';
import { serviceImage } from '../support/service-process.js';
import { tokenFor } from '../support/tokens.js';
import { until } from '../support/until.js';

const clock = new MovableClock();
let service: RunningService;
beforeAll(async () => {
  service = await runService({ clock: clock.now });
});
afterAll(() => service.stop());

async function nothingStarted({ sessionId }: ASession): Promise<void> {
  expect(await exists(keyOf.active(sessionId))).toBe(false);
  expect(await exists(keyOf.ended(sessionId))).toBe(false);
  expect(service.eventsOf(sessionId)).toEqual([]);
}

test('a start answers the ids, the times and the interval of updates', async () => {
  const { sessionId, trainerId, studentId, trainerToken } = await aSession();
  const answer = await service.api.start(sessionId, trainerToken);
  expect(answer.status).toBe(201);
  expect(answer.body).toEqual({
    success: true,
    data: {
      ...{ sessionId, trainerId, studentId, nextUpdateMs: 5000 },
      startedAt: new Date(clock.now()).toISOString(),
      expiresAt: new Date(clock.now() + 3_600_000).toISOString(),
    },
  });
});

test.each(['scheduled', 'pending_verification'])('a session that is %s can be started', async (status) => {
  const { sessionId, trainerToken } = await aSession({ status });
  expect((await service.api.start(sessionId, trainerToken)).status).toBe(201);
});

test.each(['in_progress', 'completed', 'cancelled', 'no_show', '', 'something new'])(
  'a session that is "%s" cannot be started',
  async (status) => {
    const session = await aSession({ status });
    const answer = await service.api.start(session.sessionId, session.trainerToken);
    expect(refusal(answer)).toMatchObject({ status: 400, code: 'SESSION_NOT_STARTABLE' });
    await nothingStarted(session);
  },
);

test('a start of an unknown session is 404', async () => {
  const sessionId = randomUUID();
  const answer = await service.api.start(sessionId, await tokenFor(randomUUID(), 'trainer'));
  expect(refusal(answer)).toMatchObject({ status: 404, code: 'SESSION_NOT_FOUND' });
  expect(await exists(keyOf.active(sessionId))).toBe(false);
});

test('a session without a trainer cannot be started', async () => {
  const session = await aSession();
  const query = 'update tutoring_sessions set trainer_id = null where id = $1';
  await sessionsPool().query(query, [session.sessionId]);
  const answer = await service.api.start(session.sessionId, session.trainerToken);
  expect(refusal(answer)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  await nothingStarted(session);
});

test('a second start is 409, whatever the status of the session is by then, and the journey goes on', async () => {
  const session = await aSession();
  const { sessionId, trainerToken, studentToken } = session;
  const { startedAt } = data(await service.api.start(sessionId, trainerToken));
  const expiresAt = new Date(clock.now() + 3_600_000).toISOString();
  const active = (lastSequence: number | null) => ({
    ...{ status: 409, code: 'JOURNEY_ALREADY_ACTIVE', details: { startedAt, expiresAt, lastSequence } },
  });
  expect(refusal(await service.api.start(sessionId, trainerToken))).toEqual(active(null));
  const sequence = Number.MAX_SAFE_INTEGER - 1;
  data(await service.api.update(trainerToken, { sessionId, ...metersNorth(10), sequence }));
  expect(refusal(await service.api.start(sessionId, trainerToken))).toEqual(active(sequence));
  await setStatus(session, 'in_progress');
  expect(refusal(await service.api.start(sessionId, trainerToken))).toEqual(active(sequence));
  expect(data(await service.api.live(sessionId, studentToken))).toMatchObject({ isActive: true, startedAt });
});

test('of 300 simultaneous starts exactly one wins and one event is published', async () => {
  const { sessionId, trainerToken } = await aSession();
  // A container that has just started may not get through so many in time; phones ask again then.
  const start = async (): Promise<Answer> => {
    const answer = await service.api.start(sessionId, trainerToken);
    return answer.status === 503 && serviceImage !== undefined ? start() : answer;
  };
  const answers = await Promise.all(Array.from({ length: 300 }, start));
  const counts = new Map<string, number>();
  for (const answer of answers) {
    const { status, code } = refusal(answer);
    counts.set(`${status} ${code}`, (counts.get(`${status} ${code}`) ?? 0) + 1);
  }
  expect(Object.fromEntries(counts)).toEqual({ '201 none': 1, '409 JOURNEY_ALREADY_ACTIVE': 299 });
  await service.api.stop(sessionId, trainerToken);
  const ended = () => service.eventsOf(sessionId).some((event) => event.detailType === 'TrainerJourneyEnded');
  await until('the end, which is published after all starts', ended);
  expect(service.eventsOf(sessionId).map((event) => event.detailType)).toEqual([
    'TrainerJourneyStarted',
    'TrainerJourneyEnded',
  ]);
});

test('a start after the end is a new journey without the positions, sequence and end of the one before', async () => {
  const { sessionId, trainerId, trainerToken, studentToken } = await aJourney(service.api);
  data(await service.api.update(trainerToken, { sessionId, ...metersNorth(10), sequence: 7 }));
  data(await service.api.stop(sessionId, trainerToken));
  clock.advance(10_000);
  const { startedAt } = data(await service.api.start(sessionId, trainerToken));
  expect(startedAt).toBe(new Date(clock.now()).toISOString());
  expect(await exists(keyOf.ended(sessionId))).toBe(false);
  expect(await exists(keyOf.location(trainerId, sessionId))).toBe(false);
  const live = data(await service.api.live(sessionId, studentToken));
  expect(live).toMatchObject({ isActive: true, startedAt, location: null, lastUpdate: null });
  expect(live).not.toHaveProperty('endedReason');
  const far = { sessionId, ...metersNorth(50_000), sequence: 0 };
  expect((await service.api.update(trainerToken, far)).status).toBe(201);
});

test('an upper-case sessionId means the same session', async () => {
  const { sessionId, trainerToken } = await aSession();
  const answer = await service.api.start(sessionId.toUpperCase(), trainerToken);
  expect(data(answer)).toMatchObject({ sessionId });
  const keys = await keysLike(`journey:active:${sessionId.toUpperCase()}`);
  expect([keys, await exists(keyOf.active(sessionId))]).toEqual([[], true]);
});

test('a UUID of any version is an id', async () => {
  const sessionId = `11111111-1111-1111-1111-${String(randomInt(1e12)).padStart(12, '0')}`;
  const { trainerToken } = await aSession({ sessionId });
  expect(data(await service.api.start(sessionId, trainerToken))).toMatchObject({ sessionId });
});
