import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import { aSession, metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal, type Answer } from '../support/api.js';
import { keyOf, sharedRedis } from '../support/redis-of-the-run.js';
import { runService, type RunningService } from '../support/running-service.js';
import { until } from '../support/until.js';

let service: RunningService;
let healthy: ASession;
beforeAll(async () => {
  service = await runService();
  healthy = await aJourney(service.api);
});
afterAll(() => service.stop());
afterEach(async () => {
  // Whatever happened to one session, the others do not notice.
  expect(data(await service.api.live(healthy.sessionId, healthy.studentToken))).toMatchObject({
    isActive: true,
  });
});

interface WrongFields {
  wrong: object;
  in: object;
}
type Garbage = string | { type: 'list' | 'hash' | 'set' } | WrongFields;
const wrongTypes: Garbage[] = [{ type: 'list' }, { type: 'hash' }, { type: 'set' }];
const noObjects: Garbage[] = ['', 'not json', '{"trainerId":', 'null', '12', '"text"', '[]', '\u0000', '{}'];
const unreadable: Garbage[] = [...noObjects, ...wrongTypes];

async function put(key: string, garbage: Garbage): Promise<void> {
  const redis = sharedRedis();
  await redis.del(key);
  if (typeof garbage === 'string') await redis.set(key, garbage);
  else if ('wrong' in garbage) await redis.set(key, JSON.stringify({ ...garbage.in, ...garbage.wrong }));
  else if (garbage.type === 'list') await redis.rpush(key, 'x');
  else if (garbage.type === 'hash') await redis.hset(key, 'x', 'y');
  else await redis.sadd(key, 'x');
  await redis.expire(key, 60);
}

const post = ({ sessionId, trainerToken }: ASession, more: object = {}) =>
  service.api.update(trainerToken, { sessionId, ...metersNorth(50), ...more });
const calls = {
  live: ({ sessionId, studentToken }: ASession) => service.api.live(sessionId, studentToken),
  update: (session: ASession) => post(session),
  arrived: ({ sessionId, trainerToken }: ASession) => service.api.arrived(sessionId, trainerToken),
  stop: ({ sessionId, trainerToken }: ASession) => service.api.stop(sessionId, trainerToken),
  start: ({ sessionId, trainerToken }: ASession) => service.api.start(sessionId, trainerToken),
};
type Call = keyof typeof calls;

/** The log may come after the answer. */
const anErrorLine = ({ sessionId }: ASession) =>
  until('an error in the log', () =>
    service.logLines().some((line) => line['level'] === 'error' && JSON.stringify(line).includes(sessionId)),
  );

/** The response in a word. A failure must be an INTERNAL_ERROR, and in the log. */
async function outcomeOf(answer: Answer, session: ASession): Promise<string> {
  if (answer.body['success'] === true) return String(answer.status);
  const { status, code } = refusal(answer);
  if (status < 500) return code;
  expect({ status, code }).toEqual({ status: 500, code: 'INTERNAL_ERROR' });
  await anErrorLine(session);
  return code;
}

const named = (garbage: Garbage[], ...names: Call[]) =>
  garbage.flatMap((each) => names.map((call) => [call, nameOf(each), each] as const));

function nameOf(garbage: Garbage): string {
  return JSON.stringify(typeof garbage === 'object' && 'wrong' in garbage ? garbage.wrong : garbage);
}

describe('journey:active', () => {
  // The journey may still be active, so no response may say that it has ended.
  test.each(named(unreadable, 'live', 'update', 'arrived', 'stop'))(
    'that can not be read fails %s clearly: %s',
    async (call, _text, garbage) => {
      const session = await aJourney(service.api);
      data(await post(session));
      await sharedRedis().del(keyOf.rate(session.trainerId, session.sessionId));
      await put(keyOf.active(session.sessionId), garbage);
      expect(await outcomeOf(await calls[call](session), session)).toBe('INTERNAL_ERROR');
    },
  );

  test.each(named(unreadable, 'start'))(
    'that can not be read does not break %s: %s',
    async (_call, _text, garbage) => {
      const session = await aSession();
      await put(keyOf.active(session.sessionId), garbage);
      const outcome = await outcomeOf(await calls.start(session), session);
      expect(['INTERNAL_ERROR', 'JOURNEY_ALREADY_ACTIVE', '201']).toContain(outcome);
    },
  );

  const wrongFields = [
    { startedAt: 'yesterday' },
    { startedAt: 12 },
    { studentId: null },
    { studentId: 12 },
    { sessionId: [] },
    { studentHomeLocation: 'here' },
    { expiresAt: {} },
  ];
  test.each(
    wrongFields.flatMap((fields) =>
      (['live', 'update', 'arrived', 'stop'] as const).map((call) => [call, fields] as const),
    ),
  )('with one wrong field never looks ended to %s: %j', async (call, fields) => {
    const session = await aJourney(service.api);
    data(await post(session));
    await sharedRedis().del(keyOf.rate(session.trainerId, session.sessionId));
    const { sessionId, trainerId, studentId } = session;
    const startedAt = new Date().toISOString();
    const value = { sessionId, trainerId, studentId, startedAt, status: 'in_progress', ...fields };
    await put(keyOf.active(sessionId), JSON.stringify(value));
    const answer = await calls[call](session);
    expect(['200', '201', 'INTERNAL_ERROR', 'LOCATION_UNKNOWN', 'FORBIDDEN']).toContain(
      await outcomeOf(answer, session),
    );
    if (call === 'live' && answer.status === 200) expect(data(answer)).toMatchObject({ isActive: true });
  });
});

describe('the location', () => {
  const position = { ...metersNorth(50), timestamp: new Date().toISOString() };
  const wrongFields = [
    { latitude: null },
    { latitude: '12.97' },
    { latitude: 91 },
    { longitude: 1e300 },
    { timestamp: 'yesterday' },
    { timestamp: 12 },
    { timestamp: null },
    { accuracy: 'good' },
    { accuracy: {} },
    { speed: [] },
    { heading: 'north' },
    { sequence: 'first' },
  ].map((wrong): Garbage => ({ wrong, in: position }));
  const garbage: Garbage[] = [...unreadable, ...wrongFields];

  async function aJourneyWith(value: Garbage): Promise<ASession> {
    const session = await aJourney(service.api);
    await put(keyOf.location(session.trainerId, session.sessionId), value);
    return session;
  }

  test.each(named(garbage, 'live'))(
    'that can not be read fails %s clearly, or is none: %s',
    async (_call, _text, value) => {
      const session = await aJourneyWith(value);
      const answer = await calls.live(session);
      if ((await outcomeOf(answer, session)) === 'INTERNAL_ERROR') return;
      expect(data(answer)).toMatchObject({ isActive: true });
      await anErrorLine(session);
    },
  );

  test.each(named(garbage, 'update'))(
    'that can not be read is healed by %s, or fails it clearly: %s',
    async (_call, _text, value) => {
      const session = await aJourneyWith(value);
      const outcome = await outcomeOf(await calls.update(session), session);
      if (outcome === 'INTERNAL_ERROR') return;
      expect(outcome).toBe('201');
      expect(data(await calls.live(session))).toMatchObject({ isActive: true, location: metersNorth(50) });
    },
  );

  test.each(named(unreadable, 'update'))(
    'that can not be read is an error in the log of %s: %s',
    async (_call, _text, value) => {
      const session = await aJourneyWith(value);
      await calls.update(session);
      await anErrorLine(session);
    },
  );

  test.each(named(unreadable, 'arrived'))(
    'that can not be read is not enough for %s: %s',
    async (_call, _text, value) => {
      const session = await aJourneyWith(value);
      expect(['LOCATION_UNKNOWN', 'INTERNAL_ERROR']).toContain(
        await outcomeOf(await calls.arrived(session), session),
      );
      await anErrorLine(session);
    },
  );

  test.each(named(garbage, 'stop'))(
    'that can not be read does not keep anyone from %s: %s',
    async (_call, _text, value) => {
      const session = await aJourneyWith(value);
      expect(await outcomeOf(await calls.stop(session), session)).toBe('200');
    },
  );
});

describe('session:meta', () => {
  const meta = {
    trainerId: randomUUID(),
    studentId: randomUUID(),
    status: 'scheduled',
    studentHomeLocation: null,
  };
  const wrongFields = [{ trainerId: 12 }, { studentId: 'x' }, { status: null }].map((wrong) => ({
    wrong,
    in: meta,
  }));
  const garbage: Garbage[] = [...unreadable, ...wrongFields];

  // It is a cache: one that can not be read is empty.
  test.each(named(garbage, 'live'))(
    'that can not be read is a miss for %s before the start: %s',
    async (_call, _text, value) => {
      const session = await aSession();
      await put(keyOf.meta(session.sessionId), value);
      expect(data(await calls.live(session))).toMatchObject({
        isActive: false,
        trainerId: session.trainerId,
      });
    },
  );

  test.each(named(garbage, 'start'))(
    'that can not be read does not keep anyone from %s: %s',
    async (_call, _text, value) => {
      const session = await aSession();
      await put(keyOf.meta(session.sessionId), value);
      expect((await calls.start(session)).status).toBe(201);
      expect(data(await calls.live(session))).toMatchObject({ isActive: true });
    },
  );

  test.each(named(garbage, 'live', 'update', 'stop'))(
    'that can not be read does not break %s of an active journey: %s',
    async (call, _text, value) => {
      const session = await aJourney(service.api);
      await put(keyOf.meta(session.sessionId), value);
      expect((await calls[call](session)).body).toMatchObject({ success: true });
    },
  );
});

describe('journey:ended', () => {
  const ids = { sessionId: randomUUID(), trainerId: randomUUID(), studentId: randomUUID() };
  const ended = { ...ids, reason: 'arrived', endedAt: new Date().toISOString() };
  const wrongFields = [{ reason: 'bored' }, { endedAt: 'yesterday' }, { studentId: 12 }].map((wrong) => ({
    wrong,
    in: ended,
  }));
  const garbage: Garbage[] = [...unreadable, ...wrongFields];

  test.each(named(garbage, 'live', 'update', 'arrived', 'stop'))(
    'that can not be read fails %s clearly, or is returned: %s',
    async (call, _text, value) => {
      const session = await aSession();
      await put(keyOf.ended(session.sessionId), value);
      const answer = await calls[call](session);
      const possible = ['INTERNAL_ERROR', 'JOURNEY_ENDED', 'JOURNEY_NOT_ACTIVE'];
      if (call === 'live' && answer.status === 200)
        expect(data(answer)).toMatchObject({ isActive: false, location: null });
      else expect(possible).toContain(await outcomeOf(answer, session));
    },
  );

  test.each(named(garbage, 'start'))(
    'that can not be read does not keep anyone from %s: %s',
    async (_call, _text, value) => {
      const session = await aSession();
      await put(keyOf.ended(session.sessionId), value);
      expect((await calls.start(session)).status).toBe(201);
      expect(data(await calls.live(session))).toMatchObject({ isActive: true });
    },
  );
});

describe('location:rate', () => {
  const numbers = ['-1', '0', '1e300', '99999999999999999', 'inf', 'nan', '-nan', '0x10', ' 12 '];
  test.each(named([...noObjects, ...numbers, ...wrongTypes], 'update'))(
    'that can not be right does not keep a trainer from %s for more than 6 s: %s',
    async (_call, _text, value) => {
      const session = await aJourney(service.api);
      await put(keyOf.rate(session.trainerId, session.sessionId), value);
      const answer = await calls.update(session);
      const { code, details } = refusal(answer);
      if (code !== 'RATE_LIMITED') {
        expect(await outcomeOf(answer, session)).toBe('201');
        return;
      }
      const { retryAfterMs } = details as { retryAfterMs: number };
      expect(retryAfterMs).toBeGreaterThan(0);
      expect(retryAfterMs).toBeLessThanOrEqual(6_000);
    },
  );
});
