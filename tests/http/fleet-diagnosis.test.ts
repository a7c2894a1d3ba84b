import { randomUUID } from 'node:crypto';
import { aJourney, anotherSessionInReach } from '../support/a-journey.js';
import { metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal, type Answer } from '../support/api.js';
import { MovableClock } from '../support/movable-clock.js';
import { exists, keyOf, sharedRedis } from '../support/redis-of-the-run.js';
import { runService, type RunningService } from '../support/running-service.js';
import { tokenFor } from '../support/tokens.js';
import { until } from '../support/until.js';

interface Diagnosed {
  diagnosis: { verdict: string; message: string }[];
  diagnostics: Record<string, unknown>;
  timeline: ({ kind: string; at: string } & Record<string, unknown>)[];
}

const clock = new MovableClock();
let service: RunningService;
let admin: string;
let journey: ASession;
beforeAll(async () => {
  service = await runService({ clock: clock.now });
  admin = await tokenFor(randomUUID(), 'admin');
});
afterAll(() => service.stop());
beforeEach(async () => {
  journey = await aJourney(service.api);
  clock.advance(1_000);
});

const iso = (ms: number) => new Date(ms).toISOString();

/** An update from so many metres north of the home, so much later. */
function send(meters: number, afterMs: number, more: object = {}, session = journey): Promise<Answer> {
  clock.advance(afterMs);
  const body = { sessionId: session.sessionId, ...metersNorth(meters), accuracy: 5, ...more };
  return service.api.update(session.trainerToken, body);
}
const watch = () => service.api.live(journey.sessionId, journey.studentToken);
const diagnosed = async ({ sessionId } = journey) =>
  data(await service.api.journey(sessionId, admin)) as unknown as Diagnosed;

/** Once the student's poll, which is recorded beside its answer, is known too. */
async function diagnosisOf(session = journey): Promise<Diagnosed> {
  data(await service.api.live(session.sessionId, session.studentToken));
  return until('the student is seen', async () => {
    const found = await diagnosed(session);
    return found.diagnostics['watchers'] === 1 && found;
  });
}
const only = (verdict: string, message: RegExp) => [
  { verdict, message: expect.stringMatching(message) as string },
];

describe('support learns from one call why the student sees no movement', () => {
  test('a phone is silent', async () => {
    data(await send(900, 0));
    clock.advance(95_000);
    expect((await diagnosisOf()).diagnosis).toEqual(only('noUpdateReceived', /sent nothing for 95 s/));
  });

  test('a phone sends implausible positions', async () => {
    data(await send(900, 0));
    for (const meters of [90_000, 900, 300_000, 900, 600_000]) await send(meters, 5_000);
    const { diagnosis, diagnostics } = await diagnosisOf();
    expect(diagnosis).toEqual(
      only('refusedImplausible', /^3 of the last 5 updates .* over 120 km\/h, the last one by \d+ m\.$/),
    );
    expect(diagnostics).toMatchObject({
      ...{ acceptedUpdates: 3, refusedUpdates: { LOCATION_IMPLAUSIBLE: 3 }, reanchors: 0 },
      lastRefusal: { code: 'LOCATION_IMPLAUSIBLE', reason: 'speed', at: iso(clock.now()) },
    });
  });

  test('a phone sends mock locations', async () => {
    for (let sent = 0; sent < 3; sent++) await send(900, 5_000, { mocked: true });
    await until('all are counted', async () => {
      const { refusedUpdates } = (await diagnosed()).diagnostics;
      return (refusedUpdates as Record<string, number>)['LOCATION_MOCKED'] === 3;
    });
    expect((await diagnosisOf()).diagnosis).toEqual(only('refusedMocked', /^3 of the last 3 .*mock/));
  });

  test('a trainer sends for two sessions, too often for one', async () => {
    const other = await anotherSessionInReach(journey);
    data(await service.api.start(other.sessionId, other.trainerToken));
    data(await send(900, 0));
    for (let sent = 0; sent < 3; sent++) {
      data(await send(900, 5_000));
      expect(refusal(await send(900, 100, {}, other)).code).toBe('RATE_LIMITED');
    }
    expect((await diagnosisOf(other)).diagnosis).toEqual(
      only('refusedRate', /^3 of the last 3 .*another session/),
    );
    expect((await diagnosisOf()).diagnosis).toEqual(only('ok', /./));
  });

  test('a second phone sends for the session', async () => {
    data(await send(900, 0, { sequence: 100 }));
    for (const sequence of [1, 2, 3]) {
      expect(refusal(await send(900, 2_000, { sequence })).code).toBe('LOCATION_STALE');
      data(await send(900, 3_000, { sequence: 100 + sequence }));
    }
    expect((await diagnosisOf()).diagnosis).toEqual(only('secondPhone', /^3 of the last 6 .*second phone/));
  });
});

test('invalid updates of the trainer are counted, and those of others not', async () => {
  const stranger = await tokenFor(randomUUID(), 'trainer');
  const body = { sessionId: journey.sessionId, latitude: 0, longitude: 0 };
  await service.api.update(stranger, body);
  for (let sent = 0; sent < 2; sent++) await service.api.update(journey.trainerToken, body);
  await until('both are counted', async () => {
    const { refusedUpdates } = (await diagnosed()).diagnostics;
    return (refusedUpdates as Record<string, number>)['VALIDATION_FAILED'] === 2;
  });
  expect((await diagnosisOf()).diagnosis).toEqual(only('refusedInvalid', /^2 of the last 2 /));
});

test('a student of another session who is refused is shown', async () => {
  const stranger = await tokenFor(randomUUID(), 'student');
  data(await send(900, 0));
  expect((await service.api.live(journey.sessionId, stranger)).status).toBe(403);
  await until('the refusal is known', async () => {
    const { diagnosis } = await diagnosed();
    return diagnosis.map(({ verdict }) => verdict).join() === 'studentForbidden,studentNotPolling';
  });
});

describe('the timeline', () => {
  const kinds = ({ timeline }: Diagnosed) => timeline.map(({ kind }) => kind);

  test('shows what happened, in order and without coordinates, a day long after the end', async () => {
    const startedAt = iso(clock.now() - 1_000);
    data(await send(900, 0));
    const firstFix = iso(clock.now());
    for (let sent = 0; sent < 3; sent++) await send(900, 100);
    clock.advance(70_000);
    data(await watch());
    data(await send(850, 20_000));
    data(await send(850, 5_000, { latitude: undefined, longitude: undefined, problem: 'noFix' }));
    data(await service.api.stop(journey.sessionId, admin));
    // As if the end were more than five minutes ago.
    await sharedRedis().del(keyOf.ended(journey.sessionId));
    const found = await diagnosed();
    const code = 'RATE_LIMITED';
    expect(found).toMatchObject({
      ...{ isActive: false, endedReason: 'cancelled', endedAt: iso(clock.now()), startedAt },
      ...{ trainerId: journey.trainerId, studentId: journey.studentId, location: null },
      diagnosis: only('ended', /an admin cancelled it/),
      diagnostics: { acceptedUpdates: 3, refusedUpdates: { [code]: 3 }, nextUpdateDueAt: null },
    });
    expect(found.diagnostics['events']).toMatchObject(
      ['TrainerJourneyStarted', 'TrainerLocationStale', 'TrainerJourneyEnded'].map((type) => ({
        type,
        count: 1,
      })),
    );
    expect(found.timeline).toMatchObject([
      { kind: 'started', at: startedAt },
      { kind: 'firstFix', at: firstFix },
      { kind: 'refused', code, reason: 'tooFrequent', count: 3 },
      { kind: 'stale', at: iso(Date.parse(firstFix) + 60_000) },
      { kind: 'recovered' },
      { kind: 'problem', problem: 'noFix' },
      { kind: 'cancelled', by: 'admin', at: iso(clock.now()) },
    ]);
    expect(JSON.stringify(found)).not.toMatch(/latitude|12\.97/);
    const ttl = await sharedRedis().ttl(keyOf.timeline(journey.sessionId));
    expect(ttl).toBeGreaterThan(86_390);
    expect(ttl).toBeLessThanOrEqual(86_400);
  });

  test('is of the journey alone that is active now', async () => {
    data(await send(900, 0));
    await send(900, 100);
    data(await service.api.stop(journey.sessionId, journey.trainerToken));
    data(await service.api.start(journey.sessionId, journey.trainerToken));
    expect(kinds(await diagnosed())).toEqual(['started']);
    data(await send(900, 5_000));
    await send(900, 100);
    expect(kinds(await diagnosed())).toEqual(['started', 'firstFix', 'refused']);
  });

  test('has 50 entries at most', async () => {
    data(await send(900, 0, { sequence: 100 }));
    for (let minutes = 0; minutes < 50; minutes++) {
      await send(900, 61_000, { sequence: 1 });
    }
    const { timeline, diagnostics } = await diagnosed();
    expect(timeline.length).toBeLessThanOrEqual(50);
    expect(diagnostics).toMatchObject({ refusedUpdates: { LOCATION_STALE: 50 } });
  });

  test('that cannot be read costs nobody an update', async () => {
    data(await send(900, 0));
    const key = keyOf.timeline(journey.sessionId);
    for (const garbage of ['[', '5', '{}', '{"entries":7}']) {
      await sharedRedis().set(key, garbage);
      expect(refusal(await send(900, 100)).code).toBe('RATE_LIMITED');
      expect((await diagnosed()).diagnosis).not.toEqual([]);
    }
    await sharedRedis().del(key);
    await sharedRedis().lpush(key, 'x');
    expect((await send(900, 5_000)).status).toBe(201);
    expect(refusal(await send(900, 100)).code).toBe('RATE_LIMITED');
    data(await service.api.stop(journey.sessionId, journey.trainerToken));
  });
});

test('a journey whose record another version did not write is diagnosed by its position', async () => {
  data(await send(900, 0));
  await sharedRedis().del(keyOf.track(journey.sessionId));
  const { diagnosis, timeline } = await diagnosisOf();
  expect({ diagnosis, timeline }).toEqual({ diagnosis: only('ok', /./), timeline: [] });
});

test('support changes nothing', async () => {
  data(await send(900, 0));
  clock.advance(90_000);
  await diagnosed();
  const key = keyOf.active(journey.sessionId);
  const ttl = await sharedRedis().pttl(key);
  expect(await exists(keyOf.timeline(journey.sessionId))).toBe(false);
  expect(ttl).toBeLessThanOrEqual(3_600_000);
});
