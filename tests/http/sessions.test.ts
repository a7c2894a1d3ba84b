import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import { aSession, HOME, metersNorth, sessionsPool, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { keyOf, keysLike, sharedRedis } from '../support/redis-of-the-run.js';
import { metric, runService, type RunningService } from '../support/running-service.js';
import { sharedDatabaseUrl } from '../support/shared-services.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { tokenFor } from '../support/tokens.js';
import { until } from '../support/until.js';

let service: RunningService;
beforeAll(async () => {
  service = await runService();
});
afterAll(() => service.stop());

/** How many queries the calls made. */
async function queriesOf(calls: () => Promise<unknown>): Promise<number> {
  const before = await metric(service, 'postgres_query_duration_seconds_count');
  await calls();
  return (await metric(service, 'postgres_query_duration_seconds_count')) - before;
}

const times = <Answer>(count: number, call: () => Promise<Answer>) =>
  Promise.all(Array.from({ length: count }, call));

test('a hundred simultaneous polls of a session make one query, whether it exists or not', async () => {
  const { sessionId, studentToken } = await aSession();
  const admin = await tokenFor(randomUUID(), 'admin');
  const missing = randomUUID();
  for (const [id, token, status] of [
    [sessionId, studentToken, 200],
    [missing, admin, 404],
  ] as const) {
    const queries = await queriesOf(async () => {
      const answers = await times(100, () => service.api.live(id, token));
      expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([status]));
    });
    expect(queries).toBe(1);
  }
});

test('a session read from Postgres is cached for a minute for the polls of all callers', async () => {
  const { sessionId, studentToken, trainerToken } = await aSession();
  await service.api.live(sessionId, studentToken);
  const queries = await queriesOf(async () => {
    await service.api.live(sessionId, studentToken);
    await service.api.live(sessionId, trainerToken);
    expect((await service.api.live(sessionId, await tokenFor(randomUUID(), 'student'))).status).toBe(403);
  });
  expect(queries).toBe(0);
  const ttl = await sharedRedis().ttl(keyOf.meta(sessionId));
  expect(ttl).toBeGreaterThan(50);
  expect(ttl).toBeLessThanOrEqual(60);
});

test('a session read from Postgres is cached for other processes too', async () => {
  const { sessionId, studentToken } = await aSession();
  const other = await runService();
  try {
    await other.api.live(sessionId, studentToken);
    expect(await queriesOf(() => service.api.live(sessionId, studentToken))).toBe(0);
  } finally {
    await other.stop();
  }
});

test('that a session does not exist is cached for 30 seconds', async () => {
  const sessionId = randomUUID();
  const poll = async () => service.api.live(sessionId, await tokenFor(randomUUID(), 'admin'));
  await poll();
  expect(await queriesOf(poll)).toBe(0);
  const keys = await keysLike(`*${sessionId}*`);
  expect(keys).toHaveLength(1);
  const ttl = await sharedRedis().ttl(keys[0] ?? '');
  expect(ttl).toBeGreaterThan(20);
  expect(ttl).toBeLessThanOrEqual(30);
});

test('a session that did not exist can be started and watched as soon as it does', async () => {
  const sessionId = randomUUID();
  await service.api.live(sessionId, await tokenFor(randomUUID(), 'admin'));
  const { studentToken, trainerToken } = await aSession({ sessionId });
  expect((await service.api.start(sessionId, trainerToken)).status).toBe(201);
  expect(data(await service.api.live(sessionId, studentToken))).toMatchObject({ isActive: true });
});

test('a session that was polled before its start is active at once after it', async () => {
  const { sessionId, studentToken, trainerToken } = await aSession();
  await service.api.live(sessionId, studentToken);
  data(await service.api.start(sessionId, trainerToken));
  expect(data(await service.api.live(sessionId, studentToken))).toMatchObject({ isActive: true });
  expect(await sharedRedis().ttl(keyOf.meta(sessionId))).toBeGreaterThan(3_590);
});

test('a session that a poll reads from Postgres while its journey starts does not replace the metadata of the journey', async () => {
  const network = await startTcpProxy(sharedDatabaseUrl());
  const settings = { DATABASE_URL: network.urlFor(sharedDatabaseUrl()), POSTGRES_TIMEOUT_MS: '900' };
  const other = await runService({ settings });
  try {
    const { sessionId, studentToken, trainerToken } = await aSession();
    network.freeze('answers');
    const poll = other.api.live(sessionId, studentToken);
    await until(
      'it asks Postgres',
      async () => (await metric(other, 'live_polls_total', 'source="postgres"')) > 0,
    );
    data(await service.api.start(sessionId, trainerToken));
    network.heal();
    expect((await poll).status).toBe(200);
    expect(await sharedRedis().ttl(keyOf.meta(sessionId))).toBeGreaterThan(3_590);
  } finally {
    await other.stop();
    await network.stop();
  }
});

test('a new trainer can start a session that was polled while it had another', async () => {
  const { sessionId, studentToken } = await aSession();
  await service.api.live(sessionId, studentToken);
  const trainerId = randomUUID();
  const query = 'update tutoring_sessions set trainer_id = $2 where id = $1';
  await sessionsPool().query(query, [sessionId, trainerId]);
  data(await service.api.start(sessionId, await tokenFor(trainerId, 'trainer')));
  expect(data(await service.api.live(sessionId, studentToken))).toMatchObject({ trainerId, isActive: true });
});

test('neither updates nor polls nor the end of an active journey make a query', async () => {
  const { sessionId, trainerToken, studentToken } = await aJourney(service.api);
  const queries = await queriesOf(async () => {
    data(await service.api.update(trainerToken, { sessionId, ...metersNorth(100) }));
    await service.api.update(trainerToken, { sessionId, ...metersNorth(100) });
    await times(20, () => service.api.live(sessionId, studentToken));
    await service.api.live(sessionId, await tokenFor(randomUUID(), 'student'));
    data(await service.api.arrived(sessionId, trainerToken));
    await service.api.stop(sessionId, trainerToken);
  });
  expect(queries).toBe(0);
});

test('an active journey is shown although its cached metadata was lost', async () => {
  const { sessionId, trainerToken, studentToken } = await aJourney(service.api);
  data(await service.api.update(trainerToken, { sessionId, ...metersNorth(100) }));
  await sharedRedis().del(keyOf.meta(sessionId));
  expect(data(await service.api.live(sessionId, studentToken))).toMatchObject({
    isActive: true,
    distanceMeters: 100,
  });
});

test('polls are counted by the source of their answer', async () => {
  const { sessionId, studentToken } = await aSession();
  const before = await metric(service, 'live_polls_total');
  const fromPostgres = await metric(service, 'live_polls_total', 'source="postgres"');
  await service.api.live(sessionId, studentToken);
  await service.api.live(sessionId, studentToken);
  expect((await metric(service, 'live_polls_total')) - before).toBe(2);
  expect((await metric(service, 'live_polls_total', 'source="postgres"')) - fromPostgres).toBe(1);
});

const errorsOf = ({ sessionId }: ASession) =>
  service.logLines().filter((line) => line['level'] === 'error' && JSON.stringify(line).includes(sessionId));

const garbage: [what: string, home: unknown][] = [
  ['a text', '12.9716, 77.5946'],
  ['an empty object', {}],
  ['an array of two numbers', [12.9716, 77.5946]],
  ...['', ' ', '12,9716', '0xc', '12.9716 N', '1e1', 'Infinity', ['12.9716'], true, '90.1'].map(
    (latitude): [string, unknown] => [
      `of latitude ${JSON.stringify(latitude)}`,
      { latitude, longitude: 77.5946 },
    ],
  ),
  ['null for a number', { latitude: null, longitude: 77.5946 }],
  ['one number only', { latitude: 12.9716 }],
  ['one short name only', { lat: 12.9716 }],
  ['other names', { y: 12.9716, x: 77.5946 }],
  ['a latitude out of range', { latitude: 90.1, longitude: 77.5946 }],
];

describe.each(garbage)('a home that is %s', (_what, home) => {
  test('prevents neither live nor a start, but the arrival; the start warns, and it is logged once', async () => {
    const journey = await aSession({ home });
    const { sessionId, trainerToken, studentToken } = journey;
    data(await service.api.live(sessionId, studentToken));
    const started = data(await service.api.start(sessionId, trainerToken));
    expect(started['warnings']).toEqual(['HOME_LOCATION_UNREADABLE']);
    await service.api.start(sessionId, trainerToken);
    await until('it is logged', () => errorsOf(journey).length > 0);
    data(await service.api.update(trainerToken, { sessionId, ...metersNorth(10), speed: 5 }));
    const live = data(await service.api.live(sessionId, studentToken));
    expect(live).toMatchObject({ isActive: true, distanceMeters: null, etaSeconds: null });
    expect(refusal(await service.api.arrived(sessionId, trainerToken))).toMatchObject({
      status: 400,
      code: 'LOCATION_UNKNOWN',
    });
    data(await service.api.stop(sessionId, trainerToken));
    expect(errorsOf(journey)).toHaveLength(1);
  });
});

test('a repeated start with the same Idempotency-Key warns again', async () => {
  const { sessionId, trainerToken } = await aSession({ home: {} });
  const start = () => service.api.start(sessionId, trainerToken, { 'Idempotency-Key': 'x' });
  const first = await start();
  expect(data(first)['warnings']).toEqual(['HOME_LOCATION_UNREADABLE']);
  expect(data(await start())).toEqual(data(first));
});

test.each([
  ['SQL', null],
  ['JSON', 'null'],
])("a home that is %s' null is none, and no error", async (kind, home) => {
  const session = await aSession({ home: null });
  if (kind === 'JSON') {
    const query = 'update tutoring_sessions set student_home_location = $2::jsonb where id = $1';
    await sessionsPool().query(query, [session.sessionId, home]);
  }
  const { sessionId, trainerToken } = session;
  expect(data(await service.api.start(sessionId, trainerToken))).not.toHaveProperty('warnings');
  data(await service.api.update(trainerToken, { sessionId, ...metersNorth(10) }));
  expect(refusal(await service.api.arrived(sessionId, trainerToken))).toMatchObject({
    code: 'LOCATION_UNKNOWN',
  });
  expect(errorsOf(session)).toEqual([]);
});

test.each([
  ['text for numbers', { latitude: '12.9716', longitude: '77.5946' }],
  ['text with blanks and signs', { latitude: ' +12.9716 ', longitude: '77.5946\n' }],
  ['a number and a text', { latitude: 12.9716, longitude: '77.5946' }],
  ['short names', { lat: 12.9716, lng: 77.5946 }],
  ['short names and text', { lat: '12.9716', lng: '77.5946', address: '12 Church Street' }],
  ['lon', { lat: 12.9716, lon: 77.5946 }],
  ['null beside short names', { latitude: null, longitude: null, lat: 12.9716, lng: 77.5946 }],
])('a home with %s is read: the distance is shown and the arrival accepted', async (_what, home) => {
  const journey = await aSession({ home });
  const { sessionId, trainerToken, studentToken } = journey;
  expect(data(await service.api.start(sessionId, trainerToken))).not.toHaveProperty('warnings');
  data(await service.api.update(trainerToken, { sessionId, ...metersNorth(30) }));
  expect(data(await service.api.live(sessionId, studentToken))).toMatchObject({ distanceMeters: 30 });
  expect(data(await service.api.arrived(sessionId, trainerToken))).toMatchObject({ distance: 30 });
  expect(errorsOf(journey)).toEqual([]);
});

test.each([
  ['more fields', { ...HOME, placeId: 'x', geo: { type: 'Point' }, floor: null }],
  ['no address', { latitude: HOME.latitude, longitude: HOME.longitude }],
  ['whole numbers', { latitude: 13, longitude: 78 }],
  ['the corner of the world', { latitude: -90, longitude: 180 }],
])('a home with %s is a home', async (_what, home) => {
  const journey = await aJourney(service.api, { home });
  const { sessionId, trainerToken } = journey;
  const position = { latitude: home.latitude, longitude: home.longitude };
  data(await service.api.update(trainerToken, { sessionId, ...position }));
  expect(data(await service.api.arrived(sessionId, trainerToken))).toMatchObject({ distance: 0 });
  expect(errorsOf(journey)).toEqual([]);
});
