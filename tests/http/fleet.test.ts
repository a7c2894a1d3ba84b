import { randomUUID } from 'node:crypto';
import { aJourney, anotherSessionOf } from '../support/a-journey.js';
import { metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal, type Answer } from '../support/api.js';
import { MovableClock } from '../support/movable-clock.js';
import { startPrivateRedis } from '../support/private-redis.js';
import { keyOf, sharedRedis } from '../support/redis-of-the-run.js';
import { runService, type RunningService } from '../support/running-service.js';
import { tokenFor } from '../support/tokens.js';

const clock = new MovableClock();
let service: RunningService;
let admin: string;
beforeAll(async () => {
  service = await runService({ clock: clock.now });
  admin = await tokenFor(randomUUID(), 'admin');
});
afterAll(() => service.stop());

interface Page {
  journeys: Record<string, unknown>[];
  nextCursor: string | null;
  unreadable: string[];
}

const list = async (query: Record<string, string> = {}) =>
  data(await service.api.journeys(admin, query)) as unknown as Page;

async function allPages(query: Record<string, string>): Promise<Page[]> {
  const pages = [await list(query)];
  for (
    let cursor = pages[0]?.nextCursor ?? null;
    cursor !== null;
    cursor = pages.at(-1)?.nextCursor ?? null
  ) {
    pages.push(await list({ ...query, cursor }));
  }
  return pages;
}
const listAll = async (query: Record<string, string>) =>
  (await allPages(query)).flatMap(({ journeys }) => journeys.map(({ sessionId }) => String(sessionId)));

async function severalOfOneTrainer(count: number): Promise<ASession[]> {
  const first = await aJourney(service.api);
  const others = Array.from({ length: count - 1 }, async () => {
    const session = await anotherSessionOf(first);
    data(await service.api.start(session.sessionId, session.trainerToken));
    return session;
  });
  return [first, ...(await Promise.all(others))];
}

const idsOf = (sessions: ASession[]) => sessions.map(({ sessionId }) => sessionId);

test('an item has what an operator needs', async () => {
  const { sessionId, trainerId, studentId, trainerToken } = await aJourney(service.api);
  const startedAtMs = clock.now();
  const position = { ...metersNorth(900), accuracy: 5, sequence: 3 };
  data(await service.api.update(trainerToken, { sessionId, ...position }));
  clock.advance(20_000);
  expect(await list({ trainerId: trainerId.toUpperCase() })).toEqual({
    journeys: [
      {
        ...{ sessionId, trainerId, studentId, freshness: 'delayed', ageMs: 20_000, distanceMeters: 900 },
        ...{ etaSeconds: null, trainerProblem: null },
        startedAt: new Date(startedAtMs).toISOString(),
        expiresAt: new Date(startedAtMs + 3_600_000).toISOString(),
        location: { ...position, timestamp: new Date(startedAtMs).toISOString() },
      },
    ],
    nextCursor: null,
    // Of other tests.
    unreadable: expect.any(Array),
  });
});

test('pages list each journey once, also of one millisecond, and the oldest first within a partition', async () => {
  const sessions = await severalOfOneTrainer(120);
  clock.advance(1_000);
  const later = await anotherSessionOf(sessions[0] as ASession);
  data(await service.api.start(later.sessionId, later.trainerToken));
  const found = await listAll({ trainerId: later.trainerId, limit: '25' });
  expect(found.slice().sort()).toEqual(idsOf([...sessions, later]).sort());
  if (keyOf.active(later.sessionId).startsWith('journey')) expect(found.at(-1)).toBe(later.sessionId);
});

test('filters choose by student and by freshness, and ended journeys are not listed', async () => {
  const [fresh, without, ended] = (await severalOfOneTrainer(3)) as [ASession, ASession, ASession];
  const { trainerId, trainerToken } = fresh;
  data(await service.api.update(trainerToken, { sessionId: fresh.sessionId, ...metersNorth(900) }));
  data(await service.api.stop(ended.sessionId, trainerToken));
  expect(await listAll({ studentId: without.studentId })).toEqual([without.sessionId]);
  expect(await listAll({ trainerId, freshness: 'none' })).toEqual([without.sessionId]);
  expect(await listAll({ trainerId, freshness: 'live' })).toEqual([fresh.sessionId]);
  clock.advance(70_000);
  expect(await listAll({ trainerId, freshness: 'stale' })).toEqual([fresh.sessionId]);
});

test('a journey that cannot be read is named, and hides no other', async () => {
  const [broken, fine] = (await severalOfOneTrainer(2)) as [ASession, ASession];
  await sharedRedis().set(keyOf.active(broken.sessionId), '{', 'EX', 60);
  try {
    expect(await listAll({ trainerId: fine.trainerId })).toEqual([fine.sessionId]);
    const pages = await allPages({ limit: '200' });
    expect(pages.flatMap(({ unreadable }) => unreadable)).toContain(broken.sessionId);
  } finally {
    await sharedRedis().del(keyOf.active(broken.sessionId));
  }
});

const notACursor = `9999.1.${randomUUID()}`;
test.each([
  ['limit', { limit: '0' }],
  ['limit', { limit: '201' }],
  ['limit', { limit: '1.5' }],
  ['limit', { limit: '' }],
  ['cursor', { cursor: 'x' }],
  ['cursor', { cursor: '' }],
  ['cursor', { cursor: notACursor }],
  ['freshness', { freshness: 'old' }],
  ['trainerId', { trainerId: '7' }],
])('an invalid %s is named: %j', async (field, query) => {
  expect(refusal(await service.api.journeys(admin, query))).toMatchObject({
    ...{ status: 400, code: 'VALIDATION_FAILED' },
    details: [{ path: field }],
  });
});

test('a repeated parameter is invalid', async () => {
  const path = '/api/v1/admin/location-tracking/journeys?limit=5&limit=6';
  expect((await service.api.call('GET', path, { token: admin })).status).toBe(400);
});

test.each(['trainer', 'student'])('a %s may see neither the list nor a diagnosis', async (role) => {
  const session = await aJourney(service.api);
  const token = role === 'trainer' ? session.trainerToken : session.studentToken;
  expect(refusal(await service.api.journeys(token))).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  expect(refusal(await service.api.journey(session.sessionId, token))).toMatchObject({ status: 403 });
});

test('an unknown journey is 404, and an id in another form 400', async () => {
  expect(refusal(await service.api.journey(randomUUID(), admin))).toMatchObject({
    ...{ status: 404, code: 'JOURNEY_NOT_ACTIVE' },
  });
  expect(refusal(await service.api.journey('7', admin))).toMatchObject({
    ...{ status: 400, details: [{ path: 'sessionId' }] },
  });
});

test('without Redis both calls are 503', async () => {
  const redis = await startPrivateRedis();
  const other = await runService({ settings: { REDIS_URL: redis.url } });
  await redis.stop();
  const answers: Answer[] = await Promise.all([
    other.api.journeys(admin),
    other.api.journey(randomUUID(), admin),
  ]);
  expect(answers.map(refusal)).toMatchObject(answers.map(() => ({ status: 503, code: 'STATE_UNAVAILABLE' })));
  await other.stop();
});
