import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import { aSession, type ASession } from '../support/a-session.js';
import { keyOf, sharedRedis } from '../support/redis-of-the-run.js';
import { runService, type RunningService } from '../support/running-service.js';
import { SECRET, tokenFor } from '../support/tokens.js';
import { until } from '../support/until.js';

/** Digits that stand in every coordinate that these tests send, and nowhere else. */
const DIGITS = '8675309';
const POSITION = { latitude: 12.98675309, longitude: 77.58675309 };
const BASE = '/api/v1/admin';

let service: RunningService;
let journey: ASession;
/** The texts of all refusals. */
const refusals: string[] = [];
const tokens: string[] = [];

beforeAll(async () => {
  service = await runService();
  journey = await aJourney(service.api, { home: { ...POSITION, address: 'Nowhere 1' } });
  tokens.push(journey.trainerToken, journey.studentToken);
  for (const each of [...badBodies(), ...brokenRequests(), ...outcomes(), ...garbage()]) {
    const answer = await each();
    if (answer.status >= 400) refusals.push(JSON.stringify(answer.body));
  }
  const last = randomUUID();
  await service.api.call('GET', '/nothing', { headers: { 'X-Request-Id': last } });
  await until('the log has all', () => service.logLines().some((line) => line['requestId'] === last));
});
afterAll(() => service.stop());

type Call = () => Promise<{ status: number; body: Record<string, unknown> }>;

function update(body: unknown, headers?: Record<string, string>): Call {
  return () => service.api.update(journey.trainerToken, body, headers);
}

function badBodies(): Call[] {
  const { sessionId } = journey;
  return [
    update(`{"sessionId":"${sessionId}","latitude":${POSITION.latitude},"longitude":`),
    update(`{"latitude":${POSITION.latitude}}}`),
    update(`${POSITION.latitude},${POSITION.longitude}`),
    update(`[${POSITION.latitude}]`),
    update({ sessionId, latitude: 98.8675309, longitude: 198.8675309 }),
    update({ sessionId, latitude: '12.98675309', longitude: ['77.58675309'] }),
    update({ sessionId: '12.98675309', ...POSITION }),
    update({ sessionId, ...POSITION, heading: 408.8675309, ageMs: 8.675309, sequence: -8675309 }),
    update({ sessionId, ...POSITION, mocked: true }),
    update({ sessionId, ...POSITION, x: 'x'.repeat(17_000) }),
    update({ sessionId, ...POSITION }, { 'Content-Type': 'text/plain' }),
    update({ sessionId, ...POSITION }, { 'Content-Encoding': 'x-unknown' }),
  ];
}

function brokenRequests(): Call[] {
  const token = journey.trainerToken;
  const live = `${BASE}/location-tracking/journey/live`;
  return [
    () => service.api.call('GET', `${live}?sessionId=${POSITION.latitude}`, { token }),
    () =>
      service.api.call('GET', `${live}?sessionId=${journey.sessionId}&at=${POSITION.latitude}`, { token }),
    () => service.api.call('GET', `${live}?access_token=${token}`),
    () => service.api.call('GET', `/nothing/${POSITION.latitude}/${token}`),
    () => service.api.call('POST', `${BASE}/sessions/${POSITION.latitude}/start-journey`, { token }),
    () => service.api.live(journey.sessionId, `${token}x`),
    () => service.api.live(journey.sessionId, token.slice(0, -10)),
    () =>
      service.api.live(journey.sessionId, token, {
        'X-Request-Id': token,
        'User-Agent': token,
        Cookie: token,
      }),
    () =>
      service.api.live(journey.sessionId, token, {
        'X-Request-Id': `${POSITION.latitude},${POSITION.longitude}`,
      }),
  ];
}

function outcomes(): Call[] {
  const { sessionId, trainerToken: token } = journey;
  return [
    () => service.api.start(sessionId, token),
    () => service.api.arrived(sessionId, token),
    update({ sessionId, ...POSITION, sequence: 5 }),
    update({ sessionId, ...POSITION, sequence: 4 }),
    update({ sessionId, ...POSITION, sequence: 6 }),
    async () => service.api.update(await tokenFor(randomUUID(), 'trainer'), { sessionId, ...POSITION }),
    () => service.api.live(sessionId, journey.studentToken),
    () =>
      sharedRedis()
        .del(keyOf.rate(journey.trainerId, journey.sessionId))
        .then(update({ sessionId, latitude: 0.98675309, longitude: 0 })),
    async () => service.api.live(sessionId, await tokenFor(randomUUID(), 'student')),
    () => service.api.stop(sessionId, token),
    update({ sessionId, ...POSITION, sequence: 9 }),
  ];
}

/** What stands in Redis and Postgres and can not be read: a parser likes to quote it. */
function garbage(): Call[] {
  const withHome = (home: unknown) => async () => {
    const { sessionId, trainerToken } = await aSession({ home });
    await service.api.start(sessionId, trainerToken);
    await service.api.update(trainerToken, { sessionId, ...POSITION });
    return service.api.arrived(sessionId, trainerToken);
  };
  const values = ['{"latitude":12.98675309,"longitude":', '12.98675309', '{"latitude":"12.98675309"}'];
  const keys = (of: ASession) => [
    keyOf.active(of.sessionId),
    keyOf.location(of.trainerId, of.sessionId),
    keyOf.meta(of.sessionId),
    keyOf.rate(of.trainerId, of.sessionId),
  ];
  const withValue = (value: string, index: number) => async () => {
    const other = await aJourney(service.api);
    const { sessionId, trainerToken, studentToken } = other;
    await sharedRedis().set(keys(other)[index] ?? '', value, 'EX', 60);
    const answers = [
      await service.api.live(sessionId, studentToken),
      await service.api.update(trainerToken, { sessionId, ...POSITION }),
      await service.api.arrived(sessionId, trainerToken),
    ];
    refusals.push(...answers.filter(({ status }) => status >= 400).map(({ body }) => JSON.stringify(body)));
    return service.api.stop(sessionId, trainerToken);
  };
  return [
    withHome({ latitude: 98.8675309, longitude: 77.58675309 }),
    withHome('12.98675309, 77.58675309'),
    withHome([12.98675309, 77.58675309]),
    ...values.flatMap((value) => [0, 1, 2, 3].map((index) => withValue(value, index))),
  ];
}

test('the calls were refused in many ways', () => {
  const codes = new Set(refusals.map((text) => (JSON.parse(text) as { error: { code: string } }).error.code));
  expect(codes.size).toBeGreaterThan(12);
  expect(service.logLines().length).toBeGreaterThan(50);
});

test('no coordinate is in an answer of an error', () => {
  expect(refusals.filter((text) => text.includes(DIGITS))).toEqual([]);
});

test('no coordinate is in the log', () => {
  expect(linesWith(DIGITS)).toEqual([]);
});

test('no address of a home is in the log', () => {
  expect(linesWith('Nowhere 1')).toEqual([]);
});

test('no token, nor a part of one, nor the secret is in the log', () => {
  for (const token of tokens)
    for (const part of token.split('.').slice(1)) expect(linesWith(part)).toEqual([]);
  expect(linesWith(SECRET)).toEqual([]);
});

test('no token is in an answer of an error', () => {
  const parts = tokens.flatMap((token) => token.split('.').slice(1));
  expect(refusals.filter((text) => parts.some((part) => text.includes(part)))).toEqual([]);
});

test('no stack and no message of a driver or a parser is in an answer of an error', () => {
  const traces =
    /\bat .*:\d+:\d+|node_modules|\.lua|\.ts\b|WRONGTYPE|ERR |user_script|cjson|ioredis|select .* from|in JSON at/i;
  expect(refusals.filter((text) => traces.test(text))).toEqual([]);
});

function linesWith(text: string): unknown[] {
  return service.logLines().filter((line) => JSON.stringify(line).includes(text));
}
