import { randomUUID } from 'node:crypto';
import { aSession, HOME, metersNorth, sessionsPool, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { exists, keyOf, sharedRedis } from '../support/redis-of-the-run.js';
import { runService, type RunningService } from '../support/running-service.js';

let service: RunningService;
beforeAll(async () => {
  service = await runService();
});
afterAll(() => service.stop());

type Writer = (value: Record<string, unknown>) => string;
const home = { latitude: HOME.latitude, longitude: HOME.longitude };
const newer = {
  former: { trainerId: randomUUID(), studentId: randomUUID() },
  version: 7,
  tags: [],
  nested: { a: [null] },
  note: '"quoted" \\ \u00e9',
  trainer: null,
};

/** How another version of the service may write the same values. */
const writers: [what: string, writer: Writer][] = [
  ['with only the fields of the contract', (value) => JSON.stringify(value)],
  ['with more fields', (value) => JSON.stringify({ ...newer, ...value, more: newer })],
  ['in another order', (value) => JSON.stringify(Object.fromEntries(Object.entries(value).toReversed()))],
  ['with spaces and line breaks', (value) => JSON.stringify(value, null, 2)],
  [
    'with null for what is not known',
    (value) => JSON.stringify({ accuracy: null, speed: null, heading: null, ...value }),
  ],
];

const iso = (ms: number) => new Date(ms).toISOString();

async function write(key: string, value: string, seconds: number): Promise<void> {
  await sharedRedis().set(key, value, 'EX', seconds);
}

async function writeJourney({ sessionId, trainerId, studentId }: ASession, writer: Writer): Promise<string> {
  const startedAt = iso(Date.now() - 600_000);
  const active = { sessionId, trainerId, studentId, startedAt, status: 'in_progress' };
  const meta = { trainerId, studentId, status: 'scheduled', studentHomeLocation: home };
  await write(keyOf.active(sessionId), writer(active), 3_000);
  await write(keyOf.meta(sessionId), writer(meta), 3_000);
  return startedAt;
}

/** A position that came 10 s ago, 100 m from the home. */
async function writeLocation({ sessionId, trainerId }: ASession, writer: Writer): Promise<string> {
  const timestamp = iso(Date.now() - 10_000);
  const location = { ...metersNorth(100), timestamp, sessionId, trainerId };
  await write(keyOf.location(trainerId, sessionId), writer(location), 290);
  return timestamp;
}

describe.each(writers)('a journey that another version wrote %s', (_what, writer) => {
  let session: ASession;
  let startedAt: string;
  let timestamp: string;
  beforeEach(async () => {
    // The platform has moved it on since its start.
    session = await aSession({ status: 'in_progress' });
    startedAt = await writeJourney(session, writer);
    timestamp = await writeLocation(session, writer);
  });

  test('is shown by live', async () => {
    const live = data(await service.api.live(session.sessionId, session.studentToken));
    expect(live).toMatchObject({
      ...{ isActive: true, trainerId: session.trainerId, startedAt, lastUpdate: timestamp },
      location: { ...metersNorth(100), timestamp },
      freshness: 'live',
    });
    expect(live['ageMs']).toBeGreaterThanOrEqual(10_000);
  });

  test('has the home of its metadata', async () => {
    const live = data(await service.api.live(session.sessionId, session.studentToken));
    expect(live).toMatchObject({ distanceMeters: 100 });
  });

  test('is not shown to somebody else', async () => {
    const { studentToken } = await aSession();
    expect((await service.api.live(session.sessionId, studentToken)).status).toBe(403);
  });

  test('takes an update', async () => {
    const { sessionId, trainerToken, studentToken } = session;
    data(await service.api.update(trainerToken, { sessionId, ...metersNorth(50), sequence: 0 }));
    const live = data(await service.api.live(sessionId, studentToken));
    expect(live).toMatchObject({ location: { ...metersNorth(50), sequence: 0 } });
  });

  test('has its last position as the reference for the next', async () => {
    const { sessionId, trainerToken } = session;
    const answer = await service.api.update(trainerToken, { sessionId, ...metersNorth(60_000) });
    expect(refusal(answer)).toMatchObject({ status: 400, code: 'LOCATION_IMPLAUSIBLE' });
  });

  test('takes no update of another trainer', async () => {
    const { trainerToken } = await aSession();
    const answer = await service.api.update(trainerToken, {
      sessionId: session.sessionId,
      ...metersNorth(50),
    });
    expect(refusal(answer)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  });

  test('takes an arrival by its last position', async () => {
    const { sessionId, trainerId, trainerToken } = session;
    expect(data(await service.api.arrived(sessionId, trainerToken))).toMatchObject({ distance: 100 });
    const gone = [keyOf.active(sessionId), keyOf.location(trainerId, sessionId), keyOf.meta(sessionId)];
    expect(await Promise.all(gone.map(exists))).toEqual([false, false, false]);
  });

  test('takes a stop', async () => {
    const { sessionId, trainerId, trainerToken } = session;
    data(await service.api.stop(sessionId, trainerToken));
    const gone = [keyOf.active(sessionId), keyOf.location(trainerId, sessionId), keyOf.meta(sessionId)];
    expect(await Promise.all(gone.map(exists))).toEqual([false, false, false]);
  });

  test('is already active for a start', async () => {
    await sessionsPool().query("update tutoring_sessions set status = 'scheduled' where id = $1", [
      session.sessionId,
    ]);
    const answer = await service.api.start(session.sessionId, session.trainerToken);
    expect(refusal(answer)).toMatchObject({ status: 409, code: 'JOURNEY_ALREADY_ACTIVE' });
  });
});

describe.each(writers.slice(0, 4))('an end that another version wrote %s', (_what, writer) => {
  let session: ASession;
  const endedAt = iso(Date.now() - 30_000);
  beforeEach(async () => {
    session = await aSession();
    const { sessionId, trainerId, studentId } = session;
    const ended = { sessionId, trainerId, studentId, endedAt, reason: 'timeout' };
    await write(keyOf.ended(sessionId), writer(ended), 270);
  });

  test('is shown by live', async () => {
    const live = data(await service.api.live(session.sessionId, session.studentToken));
    expect(live).toMatchObject({ isActive: false, location: null, endedReason: 'timeout', endedAt });
  });

  test('makes update, arrived and stop 410', async () => {
    const { sessionId, trainerToken } = session;
    const answers = [
      await service.api.update(trainerToken, { sessionId, ...metersNorth(1) }),
      await service.api.arrived(sessionId, trainerToken),
      await service.api.stop(sessionId, trainerToken),
    ];
    const expected = { status: 410, code: 'JOURNEY_ENDED', details: { reason: 'timeout', endedAt } };
    expect(answers.map(refusal)).toEqual([expected, expected, expected]);
  });

  test('makes way for a new start', async () => {
    expect((await service.api.start(session.sessionId, session.trainerToken)).status).toBe(201);
    expect(await exists(keyOf.ended(session.sessionId))).toBe(false);
  });
});

test('cached metadata that another version wrote decides who may look', async () => {
  const session = await aSession();
  const { sessionId, trainerId, studentToken } = session;
  const other = await aSession();
  const meta = {
    studentHomeLocation: home,
    status: 'scheduled',
    studentId: other.studentId,
    trainerId,
    more: newer,
  };
  await write(keyOf.meta(sessionId), JSON.stringify(meta, null, 1), 60);
  expect((await service.api.live(sessionId, studentToken)).status).toBe(403);
  expect(data(await service.api.live(sessionId, other.studentToken))).toMatchObject({
    isActive: false,
    trainerId,
  });
});

test('a position that another version took meanwhile is the reference for the next', async () => {
  const session = await aSession();
  const { sessionId, trainerId, trainerToken } = session;
  data(await service.api.start(sessionId, trainerToken));
  data(await service.api.update(trainerToken, { sessionId, ...metersNorth(90_000), sequence: 1 }));
  await sharedRedis().del(keyOf.rate(trainerId, sessionId));
  await writeLocation(session, (value) => JSON.stringify({ ...value, timestamp: iso(Date.now()) }));
  const back = await service.api.update(trainerToken, { sessionId, ...metersNorth(90_000), sequence: 3 });
  expect(refusal(back)).toMatchObject({ code: 'LOCATION_IMPLAUSIBLE' });
  await sharedRedis().del(keyOf.rate(trainerId, sessionId));
  expect(
    (await service.api.update(trainerToken, { sessionId, ...metersNorth(100), sequence: 4 })).status,
  ).toBe(201);
});

test('a position that another version took meanwhile makes older fixes stale', async () => {
  const session = await aSession();
  const { sessionId, trainerId, trainerToken } = session;
  data(await service.api.start(sessionId, trainerToken));
  data(await service.api.update(trainerToken, { sessionId, ...metersNorth(100), ageMs: 60_000 }));
  await sharedRedis().del(keyOf.rate(trainerId, sessionId));
  await writeLocation(session, (value) => JSON.stringify(value));
  const answer = await service.api.update(trainerToken, { sessionId, ...metersNorth(100), ageMs: 30_000 });
  expect(refusal(answer)).toMatchObject({ status: 409, code: 'LOCATION_STALE' });
});
