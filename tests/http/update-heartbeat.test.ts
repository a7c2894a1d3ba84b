import { randomUUID } from 'node:crypto';
import { aJourney, setStatus } from '../support/a-journey.js';
import { metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal, type Answer } from '../support/api.js';
import { MovableClock } from '../support/movable-clock.js';
import { contentOf, exists, keyOf, sharedRedis } from '../support/redis-of-the-run.js';
import { metric, runService, type RunningService } from '../support/running-service.js';
import { tokenFor } from '../support/tokens.js';
import { until } from '../support/until.js';
import { aWaitingStudent } from '../support/waiting-polls.js';

const clock = new MovableClock();
let service: RunningService;
let journey: ASession;
beforeAll(async () => {
  service = await runService({ clock: clock.now });
});
afterAll(() => service.stop());
beforeEach(async () => {
  journey = await aJourney(service.api);
});

const here = metersNorth(100);
const send = (body: object, token = journey.trainerToken) =>
  service.api.update(token, { sessionId: journey.sessionId, ...body });
/** When the rate allows it. */
function sendAfter(ms: number, body: object): Promise<Answer> {
  clock.advance(ms);
  return send(body);
}
const live = async () => data(await service.api.live(journey.sessionId, journey.studentToken));
const arrive = () => service.api.arrived(journey.sessionId, journey.trainerToken);
const locationKey = () => keyOf.location(journey.trainerId, journey.sessionId);
const iso = (ms: number) => new Date(ms).toISOString();
const still = { still: true };
const problems = ['noFix', 'permission', 'reducedAccuracy', 'lowPower'].map((problem) => ({ problem }));

test.each([still, ...problems])('%j is answered as a position is', async (heartbeat) => {
  data(await send(here));
  expect(data(await sendAfter(5_000, heartbeat))).toEqual({
    ...{ sessionId: journey.sessionId, timestamp: iso(clock.now()) },
    ...{ ttl: 300, nextUpdateMs: 5_000 },
  });
  expect(await metric(service, 'location_updates_total', 'heartbeat')).toBeGreaterThan(0);
});

describe('a still heartbeat', () => {
  test('renews age, time and freshness of the position, which stands for as long', async () => {
    data(await send({ ...here, accuracy: 5, speed: 13, heading: 90, sequence: 7, ageMs: 2_000 }));
    clock.advance(100_000);
    expect(await live()).toMatchObject({ freshness: 'stale', ageMs: 102_000, stillSeconds: null });
    data(await send(still));
    const lastUpdate = iso(clock.now());
    expect(await live()).toMatchObject({
      ...{ ageMs: 0, freshness: 'live', lastUpdate, stillSeconds: 102, uncertaintyMeters: 5 },
      location: { ...here, accuracy: 5, speed: 0, heading: 90, sequence: 7, timestamp: lastUpdate },
    });
    data(await sendAfter(10_000, still));
    clock.advance(3_000);
    expect(await live()).toMatchObject({ ageMs: 3_000, stillSeconds: 112 });
  });

  test('shows each number as it was sent, to the last digit', async () => {
    const position = {
      latitude: 12.971598765432123,
      longitude: -77.59456612345679,
      accuracy: 4.123456789012345,
    };
    data(await send({ ...position, heading: 271.12345678901234, sequence: Number.MAX_SAFE_INTEGER - 1 }));
    data(await sendAfter(5_000, still));
    expect(await live()).toMatchObject({ location: { ...position, sequence: Number.MAX_SAFE_INTEGER - 1 } });
  });

  test('keeps the position for its whole TTL', async () => {
    data(await send(here));
    await sharedRedis().expire(locationKey(), 20);
    data(await sendAfter(5_000, still));
    expect(await sharedRedis().ttl(locationKey())).toBeGreaterThan(290);
  });

  test.each([{}, { sequence: 3 }])(
    'without a position is LOCATION_UNKNOWN and uses no slot: %j',
    async (more) => {
      expect(refusal(await send({ ...still, ...more }))).toMatchObject({
        status: 400,
        code: 'LOCATION_UNKNOWN',
      });
      expect(await exists(locationKey())).toBe(false);
      expect((await send({ ...here, sequence: 0 })).status).toBe(201);
    },
  );

  test('without a position that can be read is LOCATION_UNKNOWN', async () => {
    data(await send(here));
    await sharedRedis().set(locationKey(), '{"latitude":', 'EX', 300);
    expect(refusal(await sendAfter(5_000, still)).code).toBe('LOCATION_UNKNOWN');
  });

  test('lets a trainer arrive who has stood at the door for longer than 5 minutes', async () => {
    data(await send({ ...here, ageMs: 200_000 }));
    clock.advance(150_000);
    expect(refusal(await arrive()).code).toBe('LOCATION_UNKNOWN');
    data(await send(still));
    clock.advance(290_000);
    expect(data(await arrive())).toMatchObject({ distance: 100 });
  });

  test('does not make a coarse position, or a precise one beside it, suffice to arrive', async () => {
    data(await send(here));
    data(await sendAfter(5_000, { ...here, accuracy: 500 }));
    data(await sendAfter(31_000, still));
    expect(await live()).toMatchObject({ freshness: 'live', location: { accuracy: 500 } });
    expect(refusal(await arrive()).code).toBe('LOCATION_UNKNOWN');
  });

  test('is no fix: the next position is judged by the last one, and may be older than the heartbeat', async () => {
    data(await send({ ...metersNorth(20_000), sequence: 1 }));
    for (let beats = 0; beats < 6; beats++) data(await sendAfter(15_000, still));
    expect(refusal(await sendAfter(5_000, { ...metersNorth(16_000), sequence: 2 })).code).toBe(
      'LOCATION_IMPLAUSIBLE',
    );
    expect((await sendAfter(5_000, { ...metersNorth(18_000), sequence: 3, ageMs: 7_000 })).status).toBe(201);
  });

  test('asks for the next update later, and the first position after it is of a trainer who moves', async () => {
    data(await send(metersNorth(2_000)));
    data(await sendAfter(5_000, metersNorth(1_990)));
    const asked: unknown[] = [];
    for (let beats = 0; beats < 4; beats++) asked.push(data(await sendAfter(10_000, still))['nextUpdateMs']);
    expect(asked).toEqual([10_000, 15_000, 15_000, 15_000]);
    expect(data(await sendAfter(5_000, metersNorth(1_970)))['nextUpdateMs']).toBe(5_000);
    expect(await live()).toMatchObject({ stillSeconds: null });
  });

  test('is shown to a waiting student at once', async () => {
    data(await send(here));
    const { answer } = await aWaitingStudent(service, journey);
    data(await sendAfter(5_000, still));
    expect(data(await answer)).toMatchObject({ ageMs: 0, stillSeconds: 5, lastUpdate: iso(clock.now()) });
  });

  test('keeps TrainerLocationStale from being published', async () => {
    const stale = () =>
      service.eventsOf(journey.sessionId).filter((event) => event.detailType === 'TrainerLocationStale');
    data(await send(here));
    data(await sendAfter(50_000, still));
    clock.advance(59_000);
    await live();
    clock.advance(2_000);
    const time = iso(clock.now());
    await live();
    await until('it is published', () => stale().length > 0);
    expect(stale()).toMatchObject([{ detail: { time, lastFixTime: iso(clock.now() - 61_000) } }]);
  });
});

describe('a problem', () => {
  test('is shown until the next position, and nothing of the position changes', async () => {
    data(await send({ ...here, accuracy: 5, sequence: 1 }));
    const before = await live();
    expect(before['trainerProblem']).toBeNull();
    await sharedRedis().expire(locationKey(), 100);
    data(await sendAfter(5_000, { problem: 'noFix', sequence: 2 }));
    const { location, lastUpdate } = before;
    expect(await live()).toMatchObject({ location, lastUpdate, ageMs: 5_000, trainerProblem: 'noFix' });
    expect(await sharedRedis().ttl(locationKey())).toBeLessThanOrEqual(100);
    data(await sendAfter(5_000, { problem: 'lowPower' }));
    expect(await live()).toMatchObject({ location, lastUpdate, ageMs: 10_000, trainerProblem: 'lowPower' });
    data(await sendAfter(5_000, here));
    expect(await live()).toMatchObject({ trainerProblem: null });
  });

  test('is over with a still heartbeat', async () => {
    data(await send(here));
    data(await sendAfter(5_000, { problem: 'noFix' }));
    data(await sendAfter(5_000, still));
    expect(await live()).toMatchObject({ trainerProblem: null, location: here });
  });

  test('is shown without a position, before the first and after the last', async () => {
    data(await send({ problem: 'permission' }));
    expect(await live()).toMatchObject({ location: null, freshness: null, trainerProblem: 'permission' });
    data(await sendAfter(5_000, here));
    data(await sendAfter(5_000, { problem: 'noFix' }));
    await sharedRedis().del(locationKey());
    expect(await live()).toMatchObject({ location: null, trainerProblem: 'noFix' });
  });

  test('is not that of the next journey', async () => {
    data(await send({ problem: 'permission' }));
    data(await service.api.stop(journey.sessionId, journey.trainerToken));
    expect(await live()).toMatchObject({ isActive: false, trainerProblem: null });
    data(await service.api.start(journey.sessionId, journey.trainerToken));
    expect(await live()).toMatchObject({ isActive: true, trainerProblem: null });
  });

  test.each([{}, here])('is shown to a waiting student when it changes, with %j before', async (place) => {
    if (place === here) data(await send(here));
    const { answer } = await aWaitingStudent(service, journey);
    data(await sendAfter(5_000, { problem: 'noFix' }));
    expect(data(await answer)).toMatchObject({
      trainerProblem: 'noFix',
      ...(place === here && { ageMs: 5_000 }),
    });
    const etag = async () =>
      (await service.api.live(journey.sessionId, journey.studentToken)).headers['etag'];
    const shown = await etag();
    data(await sendAfter(5_000, { problem: 'noFix' }));
    expect(await etag()).toBe(shown);
    data(await sendAfter(5_000, { problem: 'permission' }));
    expect(await etag()).not.toBe(shown);
  });

  test('is written beside the position of another version of the service', async () => {
    const timestamp = iso(clock.now());
    const { sessionId, trainerId } = journey;
    const foreign = JSON.stringify({ timestamp, ...here, sessionId, trainerId }, null, 2);
    await sharedRedis().set(locationKey(), `${foreign}\n`, 'EX', 300);
    for (const { problem } of problems) {
      data(await sendAfter(5_000, { problem }));
      expect(await live()).toMatchObject({ location: { ...here, timestamp }, trainerProblem: problem });
    }
    data(await sendAfter(5_000, still));
    expect(await live()).toMatchObject({ location: here, trainerProblem: null, ageMs: 0, stillSeconds: 25 });
  });
});

test.each([still, ...problems])(
  '%j comes after the checks of a position, in the same order',
  async (heartbeat) => {
    data(await send({ ...here, sequence: 5 }));
    const codeOf = async (more: object, token?: string) =>
      refusal(await send({ ...heartbeat, ...more }, token)).code;
    const stranger = await tokenFor(randomUUID(), 'trainer');
    expect(await codeOf({}, journey.studentToken)).toBe('FORBIDDEN');
    expect(await codeOf({}, stranger)).toBe('FORBIDDEN');
    expect(await codeOf({ sequence: 4 })).toBe('LOCATION_STALE');
    expect(await codeOf({ sequence: 5 })).toBe('LOCATION_STALE');
    expect(await codeOf({ sequence: 6 })).toBe('RATE_LIMITED');
    expect(await codeOf({ sequence: -1 })).toBe('VALIDATION_FAILED');
    clock.advance(4_000);
    expect(await codeOf({ sequence: 6 })).toBe('none');
    expect(refusal(await send({ ...here, sequence: 7 })).code).toBe('RATE_LIMITED');
    data(await service.api.stop(journey.sessionId, journey.trainerToken));
    expect(await codeOf({ sequence: 8 })).toBe('JOURNEY_ENDED');
  },
);

test.each([still, ...problems])(
  'a repeat of %j gets the first answer and writes nothing',
  async (heartbeat) => {
    data(await send(here));
    const first = await sendAfter(5_000, { ...heartbeat, sequence: 1 });
    const stored = await contentOf(locationKey());
    for (const laterMs of [0, 5_000]) {
      const again = await sendAfter(laterMs, { ...heartbeat, sequence: 1 });
      expect([again.status, again.body]).toEqual([201, first.body]);
    }
    expect(await contentOf(locationKey())).toBe(stored);
    const others = [here, still, ...problems].filter((other) => other !== heartbeat);
    for (const other of others) {
      const answer = await send({ ...other, sequence: 1 });
      expect(refusal(answer)).toMatchObject({ code: 'LOCATION_STALE', details: { lastSequence: 1 } });
    }
  },
);

test('the sequence of a heartbeat is the last one for a restarted app', async () => {
  data(await send({ problem: 'noFix', sequence: 12 }));
  await setStatus(journey, 'scheduled');
  const again = refusal(await service.api.start(journey.sessionId, journey.trainerToken));
  expect(again.details).toMatchObject({ lastSequence: 12 });
});

test.each([
  [{ still: false }, ['latitude', 'longitude']],
  [{ still: null, problem: null }, ['latitude', 'longitude']],
  [{ latitude: null, longitude: null }, ['latitude', 'longitude']],
  [{ still: true, latitude: 12 }, ['longitude']],
  [{ problem: 'noFix', longitude: 77 }, ['latitude']],
  [{ problem: 'tired' }, ['problem']],
  [{ problem: '' }, ['problem']],
  [{ problem: 7 }, ['problem']],
  [{ still: 'yes' }, ['still']],
  [{ still: 1, sequence: 1.5 }, ['sequence', 'still']],
])('a heartbeat of %j is refused, the fields named and no slot used', async (body, paths) => {
  const { status, code, details } = refusal(await send(body));
  expect([status, code]).toEqual([400, 'VALIDATION_FAILED']);
  expect((details as { path: string }[]).map(({ path }) => path)).toEqual(paths);
  expect((await send(here)).status).toBe(201);
});

test.each([
  { still: true, latitude: null, longitude: null, accuracy: null, speed: null, mocked: null, problem: null },
  { still: true, sequence: null, extra: {} },
])('explicit nulls and unknown fields do not cost a phone its heartbeat: %j', async (body) => {
  data(await send(here));
  data(await sendAfter(5_000, body));
  expect(await live()).toMatchObject({ ageMs: 0, stillSeconds: 5 });
});

test('with still and a problem, the problem counts', async () => {
  data(await send(here));
  data(await sendAfter(5_000, { still: true, problem: 'lowPower' }));
  expect(await live()).toMatchObject({ ageMs: 5_000, trainerProblem: 'lowPower' });
});

test.each([still, { problem: 'reducedAccuracy' }, { problem: 'tired' }, { problem: 7 }, { still: 'yes' }])(
  'with coordinates %j is ignored: the update is a position',
  async (more) => {
    data(await send({ ...here, ...more }));
    expect(await live()).toMatchObject({ location: here, trainerProblem: null, stillSeconds: null });
  },
);
