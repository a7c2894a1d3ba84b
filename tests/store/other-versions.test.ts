import { randomUUID } from 'node:crypto';
import { aJourney, setStatus } from '../support/a-journey.js';
import { aSession, HOME, metersNorth, type ASession } from '../support/a-session.js';
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
    'with null for the unknown',
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

  test('is shown with its distance from home, and to nobody else', async () => {
    const live = data(await service.api.live(session.sessionId, session.studentToken));
    expect(live).toMatchObject({
      ...{ isActive: true, trainerId: session.trainerId, startedAt, lastUpdate: timestamp },
      ...{ location: { ...metersNorth(100), timestamp }, freshness: 'live', distanceMeters: 100 },
    });
    expect(live['ageMs']).toBeGreaterThanOrEqual(10_000);
    const { studentToken } = await aSession();
    expect((await service.api.live(session.sessionId, studentToken)).status).toBe(403);
  });

  test('accepts an update of its trainer, judged by its last position', async () => {
    const { sessionId, trainerToken, studentToken } = session;
    const update = (token: string, meters: number) =>
      service.api.update(token, { sessionId, ...metersNorth(meters), sequence: 0 });
    const stranger = await aSession();
    expect(refusal(await update(stranger.trainerToken, 50)).code).toBe('FORBIDDEN');
    expect(refusal(await update(trainerToken, 60_000)).code).toBe('LOCATION_IMPLAUSIBLE');
    await sharedRedis().del(keyOf.rate(session.trainerId, sessionId));
    data(await update(trainerToken, 50));
    const live = data(await service.api.live(sessionId, studentToken));
    expect(live).toMatchObject({ location: { ...metersNorth(50), sequence: 0 } });
  });

  test.each([
    ['arrived', { distance: 100 }],
    ['stop', {}],
  ] as const)('can be ended by %s', async (call, expected) => {
    const { sessionId, trainerId, trainerToken } = session;
    expect(data(await service.api[call](sessionId, trainerToken))).toMatchObject(expected);
    const gone = [keyOf.active(sessionId), keyOf.location(trainerId, sessionId), keyOf.meta(sessionId)];
    expect(await Promise.all(gone.map(exists))).toEqual([false, false, false]);
  });

  test('is already active for a start', async () => {
    await setStatus(session, 'scheduled');
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

  test('is shown, answers 410 and does not prevent a new start', async () => {
    const { sessionId, trainerToken, studentToken } = session;
    const live = data(await service.api.live(sessionId, studentToken));
    expect(live).toMatchObject({ isActive: false, location: null, endedReason: 'timeout', endedAt });
    const answers = [
      await service.api.update(trainerToken, { sessionId, ...metersNorth(1) }),
      await service.api.arrived(sessionId, trainerToken),
      await service.api.stop(sessionId, trainerToken),
    ];
    const expected = { status: 410, code: 'JOURNEY_ENDED', details: { reason: 'timeout', endedAt } };
    expect(answers.map(refusal)).toEqual([expected, expected, expected]);
    expect((await service.api.start(sessionId, trainerToken)).status).toBe(201);
    expect(await exists(keyOf.ended(sessionId))).toBe(false);
  });
});

test('cached metadata that another version wrote decides who may look', async () => {
  const session = await aSession();
  const { sessionId, trainerId, studentToken } = session;
  const other = await aSession();
  const { studentId } = other;
  const meta = { studentHomeLocation: home, status: 'scheduled', studentId, trainerId, more: newer };
  await write(keyOf.meta(sessionId), JSON.stringify(meta, null, 1), 60);
  expect((await service.api.live(sessionId, studentToken)).status).toBe(403);
  const live = data(await service.api.live(sessionId, other.studentToken));
  expect(live).toMatchObject({ isActive: false, trainerId });
});

test('a position that another version accepted meanwhile is the reference for the next', async () => {
  const session = await aJourney(service.api);
  const { sessionId, trainerId, trainerToken } = session;
  const update = async (meters: number, more: object) => {
    await sharedRedis().del(keyOf.rate(trainerId, sessionId));
    return service.api.update(trainerToken, { sessionId, ...metersNorth(meters), ...more });
  };
  data(await update(90_000, { sequence: 1, ageMs: 60_000 }));
  await writeLocation(session, (value) => JSON.stringify(value));
  expect(refusal(await update(90_000, { sequence: 3 })).code).toBe('LOCATION_IMPLAUSIBLE');
  expect(refusal(await update(100, { sequence: 4, ageMs: 30_000 })).code).toBe('LOCATION_STALE');
  expect((await update(100, { sequence: 5 })).status).toBe(201);
});

const takesTheNext = async ({ sessionId, trainerToken }: ASession, more: object = {}) =>
  expect((await service.api.update(trainerToken, { sessionId, ...metersNorth(50), ...more })).status).toBe(
    201,
  );

describe('after another version has ended the journey and started the next', () => {
  let session: ASession;
  beforeEach(async () => {
    session = await aJourney(service.api);
    await takesTheNext(session, { ...metersNorth(90_000), sequence: 700 });
    await sharedRedis().del(
      keyOf.location(session.trainerId, session.sessionId),
      keyOf.rate(session.trainerId, session.sessionId),
    );
    await writeJourney(session, (value) => JSON.stringify(value));
  });

  test('the record of the earlier one says nothing about its positions', async () => {
    await takesTheNext(session, { sequence: 0 });
    const again = refusal(await service.api.start(session.sessionId, session.trainerToken));
    expect(again).toMatchObject({ code: 'JOURNEY_ALREADY_ACTIVE', details: { lastSequence: 0 } });
  });

  test('the earlier one has no last sequence for it', async () => {
    const again = refusal(await service.api.start(session.sessionId, session.trainerToken));
    expect(again).toMatchObject({ code: 'JOURNEY_ALREADY_ACTIVE', details: { lastSequence: null } });
  });
});

test.each([
  { expiresAt: null },
  { expiresAt: 12 },
  { studentHomeLocation: 'here' },
  { studentHomeLocation: [] },
  { studentHomeLocation: { lat: 'north', lng: 77 } },
])('an active journey with %j is shown, and goes on', async (odd) => {
  const session = await aSession();
  await writeJourney(session, (value) => JSON.stringify({ ...value, ...('startedAt' in value && odd) }));
  const live = data(await service.api.live(session.sessionId, session.studentToken));
  expect(live).toMatchObject({ isActive: true });
  await takesTheNext(session);
  expect((await service.api.arrived(session.sessionId, session.trainerToken)).status).toBe(200);
});

const { latitude, longitude } = HOME;
test.each(
  [
    { latitude: String(latitude), longitude: ` +${longitude}` },
    { lat: latitude, lng: longitude, address: null },
    { lat: String(latitude), lon: longitude, address: 'Home' },
  ].flatMap((form) => [
    { key: keyOf.active, form },
    { key: keyOf.meta, form },
  ]),
)('a home in the form %j of another version is read', async ({ key, form }) => {
  const session = await aSession();
  await writeJourney(session, (value) => JSON.stringify({ ...value, studentHomeLocation: null }));
  const stored = JSON.parse((await sharedRedis().get(key(session.sessionId))) ?? '{}') as object;
  await write(key(session.sessionId), JSON.stringify({ ...stored, studentHomeLocation: form }), 3_000);
  await takesTheNext(session);
  const live = data(await service.api.live(session.sessionId, session.studentToken));
  expect(live).toMatchObject({ distanceMeters: 50 });
  expect(data(await service.api.arrived(session.sessionId, session.trainerToken))).toMatchObject({
    distance: 50,
  });
});

test.each([20_000, 3_600_000])('a position dated %d ms ahead delays nobody', async (aheadMs) => {
  const session = await aJourney(service.api);
  await writeLocation(session, (value) => JSON.stringify({ ...value, timestamp: iso(Date.now() + aheadMs) }));
  await takesTheNext(session);
});
