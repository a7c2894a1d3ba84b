import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import { aSession, metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { contentOf, exists, keyOf, keysLike } from '../support/redis-of-the-run.js';
import { MovableClock } from '../support/movable-clock.js';
import { runService, type RunningService } from '../support/running-service.js';
import { tokenFor } from '../support/tokens.js';
import { until } from '../support/until.js';

const clock = new MovableClock();
let service: RunningService;
beforeAll(async () => {
  service = await runService({ clock: clock.now });
});
afterAll(() => service.stop());

const stop = ({ sessionId, trainerToken }: ASession) => service.api.stop(sessionId, trainerToken);

async function aJourneyNearHome(): Promise<ASession> {
  const journey = await aJourney(service.api);
  const body = { sessionId: journey.sessionId, ...metersNorth(20), sequence: 1 };
  data(await service.api.update(journey.trainerToken, body));
  return journey;
}

test('a stop answers when', async () => {
  const journey = await aJourney(service.api);
  clock.advance(2_000);
  const answer = await stop(journey);
  expect(answer.status).toBe(200);
  expect(data(answer)).toEqual({
    sessionId: journey.sessionId,
    stoppedAt: new Date(clock.now()).toISOString(),
  });
});

test('an admin may stop', async () => {
  const { sessionId, studentToken } = await aJourneyNearHome();
  expect((await service.api.stop(sessionId, await tokenFor(randomUUID(), 'admin'))).status).toBe(200);
  expect(data(await service.api.live(sessionId, studentToken))).toMatchObject({ endedReason: 'cancelled' });
});

test("an admin's repeat with the same key answers the first again", async () => {
  const { sessionId } = await aJourney(service.api);
  const [token, headers] = [await tokenFor(randomUUID(), 'admin'), { 'Idempotency-Key': randomUUID() }];
  const first = await service.api.stop(sessionId, token, headers);
  clock.advance(1_000);
  const again = await service.api.stop(sessionId, token, headers);
  expect([again.status, again.body, again.headers['idempotency-replayed']]).toEqual([
    200,
    first.body,
    'true',
  ]);
});

test('a stop by another trainer is refused as FORBIDDEN, and the journey goes on', async () => {
  const { sessionId, studentToken } = await aJourney(service.api);
  const answer = await service.api.stop(sessionId, await tokenFor(randomUUID(), 'trainer'));
  expect(refusal(answer)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  expect(data(await service.api.live(sessionId, studentToken))).toMatchObject({ isActive: true });
});

test('a stop before the start finds no journey', async () => {
  expect(refusal(await stop(await aSession()))).toMatchObject({ status: 404, code: 'JOURNEY_NOT_ACTIVE' });
});

test('an admin finds no journey of a session that nobody knows', async () => {
  const answer = await service.api.stop(randomUUID(), await tokenFor(randomUUID(), 'admin'));
  expect(refusal(answer)).toMatchObject({ status: 404, code: 'JOURNEY_NOT_ACTIVE' });
});

test('a second stop is told the reason and the time of the first', async () => {
  const journey = await aJourney(service.api);
  const { stoppedAt } = data(await stop(journey));
  clock.advance(1_000);
  expect(refusal(await stop(journey))).toEqual({
    status: 410,
    code: 'JOURNEY_ENDED',
    details: { reason: 'cancelled', endedAt: stoppedAt },
  });
});

test('of 50 simultaneous stops one wins', async () => {
  const journey = await aJourney(service.api);
  const answers = await Promise.all(Array.from({ length: 50 }, () => stop(journey)));
  const statuses = answers.map(({ status }) => status).sort();
  expect(statuses).toEqual([200, ...Array.from({ length: 49 }, () => 410)]);
});

test('of an arrived and a stop at the same time exactly one wins, and all tell of that one', async () => {
  const journeys: { journey: ASession; reason: string }[] = [];
  for (let round = 0; round < 40; round++) {
    const journey = await aJourneyNearHome();
    const calls = ['arrived', 'stop'] as const;
    const inOrder = round % 2 === 0 ? calls : calls.toReversed();
    const answers = await Promise.all(
      inOrder.map(async (call) => ({
        call,
        answer: await service.api[call](journey.sessionId, journey.trainerToken),
      })),
    );
    const winners = answers.filter(({ answer }) => answer.status === 200);
    expect(winners).toHaveLength(1);
    const reason = winners[0]?.call === 'arrived' ? 'arrived' : 'cancelled';
    const loser = answers.find(({ answer }) => answer.status !== 200);
    expect(loser && refusal(loser.answer)).toMatchObject({
      status: 410,
      code: 'JOURNEY_ENDED',
      details: { reason },
    });
    const live = data(await service.api.live(journey.sessionId, journey.studentToken));
    expect(live).toMatchObject({ isActive: false, endedReason: reason });
    journeys.push({ journey, reason });
  }
  const endsOf = ({ journey }: { journey: ASession }) =>
    service.eventsOf(journey.sessionId).filter((event) => event.detailType === 'TrainerJourneyEnded');
  await until('the end of each', () => journeys.every((each) => endsOf(each).length > 0));
  for (const each of journeys)
    expect(endsOf(each).map(({ detail }) => detail['reason'])).toEqual([each.reason]);
});

test('an update at the same time as a stop leaves no location behind', async () => {
  for (let round = 0; round < 30; round++) {
    const journey = await aJourney(service.api);
    const { sessionId, trainerId, trainerToken } = journey;
    const update = () => service.api.update(trainerToken, { sessionId, ...metersNorth(20) });
    const [first, second] = round % 2 === 0 ? [update, () => stop(journey)] : [() => stop(journey), update];
    const statuses = await Promise.all([first(), second()]);
    expect(statuses.map(({ status }) => status)).toContain(200);
    expect(await exists(keyOf.location(trainerId, sessionId))).toBe(false);
  }
});

describe.each(['stop', 'arrived'] as const)('after the end by %s', (call) => {
  test('active, location and metadata are gone from Redis', async () => {
    const { sessionId, trainerId, trainerToken } = await aJourneyNearHome();
    data(await service.api[call](sessionId, trainerToken));
    const gone = [keyOf.active(sessionId), keyOf.location(trainerId, sessionId), keyOf.meta(sessionId)];
    expect(await Promise.all(gone.map(exists))).toEqual([false, false, false]);
    expect(await exists(keyOf.ended(sessionId))).toBe(true);
  });

  test('no position is left anywhere in Redis', async () => {
    const home = { latitude: 12.9716, longitude: 77.5946 };
    const journey = await aJourney(service.api, { home });
    const { sessionId, trainerToken } = journey;
    const digits = ['971612345', '594687654'];
    const position = { latitude: 12.971612345, longitude: 77.594687654, accuracy: 7, sequence: 1 };
    data(await service.api.update(trainerToken, { sessionId, ...position }));
    data(await service.api[call](sessionId, trainerToken, { 'Idempotency-Key': randomUUID() }));
    await service.api.live(sessionId, journey.studentToken);
    for (const key of await keysLike('*')) {
      const content = `${key} ${await contentOf(key)}`;
      expect(digits.filter((part) => content.includes(part))).toEqual([]);
    }
  });

  test('a poll brings neither of them back', async () => {
    const { sessionId, trainerId, trainerToken, studentToken } = await aJourneyNearHome();
    data(await service.api[call](sessionId, trainerToken));
    data(await service.api.live(sessionId, studentToken));
    const gone = [keyOf.active(sessionId), keyOf.location(trainerId, sessionId)];
    expect(await Promise.all(gone.map(exists))).toEqual([false, false]);
  });
});
