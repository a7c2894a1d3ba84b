import { randomUUID } from 'node:crypto';
import { aJourney, anotherSessionOf, setStatus } from '../support/a-journey.js';
import { aSession, metersNorth } from '../support/a-session.js';
import { data, refusal, type Answer } from '../support/api.js';
import { MovableClock } from '../support/movable-clock.js';
import { exists, keyOf } from '../support/redis-of-the-run.js';
import { runService, type RunningService } from '../support/running-service.js';
import { tokenFor } from '../support/tokens.js';
import { until } from '../support/until.js';

const clock = new MovableClock();
let service: RunningService;
beforeAll(async () => {
  service = await runService({ clock: clock.now });
});
afterAll(() => service.stop());
// A new answer would have another time.
beforeEach(() => {
  clock.advance(10_000);
});

const withKey = (key: string) => ({ 'Idempotency-Key': key });
const isReplay = (answer: Answer) => answer.headers['idempotency-replayed'] === 'true';

function expectReplay(repeat: Answer, first: Answer): void {
  expect(repeat.body).toEqual(first.body);
  expect(repeat.status).toBe(first.status);
  expect([isReplay(first), isReplay(repeat)]).toEqual([false, true]);
}

test('a repeated start with the same key of 128 characters answers the first 201 again, and with no other', async () => {
  const session = await aSession();
  const { sessionId, trainerToken } = session;
  const key = withKey(`!~${randomUUID().padEnd(126, 'k')}`);
  const first = await service.api.start(sessionId, trainerToken, key);
  expect(first.status).toBe(201);
  clock.advance(60_000);
  await setStatus(session, 'in_progress');
  expectReplay(await service.api.start(sessionId, trainerToken, key), first);
  for (const other of [withKey(randomUUID()), {}]) {
    const answer = await service.api.start(sessionId, trainerToken, other);
    expect(refusal(answer)).toMatchObject({ status: 409, code: 'JOURNEY_ALREADY_ACTIVE' });
  }
});

test('50 simultaneous starts with the same key all get the same answer, and one event is published', async () => {
  const { sessionId, trainerToken } = await aSession();
  const key = withKey(randomUUID());
  const starts = Array.from({ length: 50 }, () => service.api.start(sessionId, trainerToken, key));
  const answers = await Promise.all(starts);
  expect(new Set(answers.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)).size).toBe(1);
  expect(answers[0]?.status).toBe(201);
  expect(answers.filter(isReplay)).toHaveLength(49);
  data(await service.api.stop(sessionId, trainerToken));
  await until('the end', () =>
    service.eventsOf(sessionId).some((event) => event.detailType.endsWith('Ended')),
  );
  expect(service.eventsOf(sessionId)).toHaveLength(2);
});

test('after the end of the journey the key of its start still answers, and starts nothing', async () => {
  const { sessionId, trainerToken, studentToken } = await aSession();
  const key = withKey(randomUUID());
  const first = await service.api.start(sessionId, trainerToken, key);
  data(await service.api.stop(sessionId, trainerToken));
  clock.advance(60_000);
  expectReplay(await service.api.start(sessionId, trainerToken, key), first);
  expect(await exists(keyOf.active(sessionId))).toBe(false);
  expect(data(await service.api.live(sessionId, studentToken))).toMatchObject({ endedReason: 'cancelled' });
});

test('a key is of one session and one call', async () => {
  const first = await aSession();
  const second = await anotherSessionOf(first);
  const key = withKey(randomUUID());
  data(await service.api.start(first.sessionId, first.trainerToken, key));
  const answer = await service.api.start(second.sessionId, first.trainerToken, key);
  expect(isReplay(answer)).toBe(false);
  expect(data(answer)).toMatchObject({ sessionId: second.sessionId });
  const stopped = await service.api.stop(first.sessionId, first.trainerToken, key);
  expect(isReplay(stopped)).toBe(false);
  expect(data(stopped)).toHaveProperty('stoppedAt');
  expect(refusal(await service.api.arrived(first.sessionId, first.trainerToken, key)).code).toBe(
    'JOURNEY_ENDED',
  );
});

const wrongKeys = ['', 'k'.repeat(129), 'two words', 'k\u00fcche', 'tab\there'];
test.each(wrongKeys)('a start with the key "%s" is refused, and nothing starts', async (key) => {
  const { sessionId, trainerToken } = await aSession();
  const answer = await service.api.start(sessionId, trainerToken, withKey(key));
  expect(refusal(answer)).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
  expect(JSON.stringify(refusal(answer).details)).toMatch(/idempotency-key/i);
  expect(await exists(keyOf.active(sessionId))).toBe(false);
});

test.each(['stop', 'arrived'] as const)('a %s with a key of the wrong form ends nothing', async (call) => {
  const { sessionId, trainerToken } = await aJourney(service.api);
  data(await service.api.update(trainerToken, { sessionId, ...metersNorth(10) }));
  const answer = await service.api[call](sessionId, trainerToken, withKey('k'.repeat(129)));
  expect(refusal(answer)).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
  expect(await exists(keyOf.active(sessionId))).toBe(true);
});

test('a refused start does not use up its key', async () => {
  const session = await aSession({ status: 'cancelled' });
  const key = withKey(randomUUID());
  expect((await service.api.start(session.sessionId, session.trainerToken, key)).status).toBe(400);
  await setStatus(session, 'scheduled');
  const answer = await service.api.start(session.sessionId, session.trainerToken, key);
  expect([answer.status, isReplay(answer)]).toEqual([201, false]);
});

describe.each(['stop', 'arrived'] as const)('%s', (call) => {
  async function aJourneyAtHome() {
    const journey = await aJourney(service.api);
    data(
      await service.api.update(journey.trainerToken, { sessionId: journey.sessionId, ...metersNorth(42) }),
    );
    return journey;
  }

  test('a repeat with the same key answers the first 200 again, and with no other key or trainer', async () => {
    const { sessionId, trainerToken } = await aJourneyAtHome();
    const key = withKey(randomUUID());
    const first = await service.api[call](sessionId, trainerToken, key);
    expect(first.status).toBe(200);
    clock.advance(60_000);
    expectReplay(await service.api[call](sessionId, trainerToken, key), first);
    const stranger = await tokenFor(randomUUID(), 'trainer');
    for (const [token, headers] of [
      [trainerToken, withKey(randomUUID())],
      [trainerToken, {}],
      [stranger, key],
    ] as const) {
      const answer = await service.api[call](sessionId, token, headers);
      expect([answer.status, isReplay(answer)]).toEqual([410, false]);
    }
  });

  test('a delayed repeat does not end a newer journey', async () => {
    const { sessionId, trainerToken, studentToken } = await aJourneyAtHome();
    const key = withKey(randomUUID());
    const first = await service.api[call](sessionId, trainerToken, key);
    clock.advance(10_000);
    const { startedAt } = data(await service.api.start(sessionId, trainerToken));
    data(await service.api.update(trainerToken, { sessionId, ...metersNorth(42) }));
    expectReplay(await service.api[call](sessionId, trainerToken, key), first);
    const live = data(await service.api.live(sessionId, studentToken));
    expect(live).toMatchObject({ isActive: true, startedAt });
  });

  test('20 simultaneous repeats all get the same answer', async () => {
    const { sessionId, trainerToken } = await aJourneyAtHome();
    const key = withKey(randomUUID());
    const calls = Array.from({ length: 20 }, () => service.api[call](sessionId, trainerToken, key));
    const answers = await Promise.all(calls);
    expect(new Set(answers.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)).size).toBe(1);
    expect(answers.filter(isReplay)).toHaveLength(19);
  });
});

test('a refused arrived does not use up its key', async () => {
  const { sessionId, trainerToken } = await aJourney(service.api);
  const key = withKey(randomUUID());
  data(await service.api.update(trainerToken, { sessionId, ...metersNorth(200) }));
  expect((await service.api.arrived(sessionId, trainerToken, key)).status).toBe(400);
  clock.advance(5_000);
  data(await service.api.update(trainerToken, { sessionId, ...metersNorth(100) }));
  expect(data(await service.api.arrived(sessionId, trainerToken, key))).toMatchObject({ distance: 100 });
});
