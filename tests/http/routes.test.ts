import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import { aSession, metersNorth, type ASession } from '../support/a-session.js';
import { data, refusal } from '../support/api.js';
import { exists, keyOf } from '../support/redis-of-the-run.js';
import { rawRequest } from '../support/raw-http.js';
import { runService, type RunningService } from '../support/running-service.js';
import { tokenFor } from '../support/tokens.js';

let service: RunningService;
let trainer: string;
let admin: string;
beforeAll(async () => {
  service = await runService();
  trainer = await tokenFor(randomUUID(), 'trainer');
  admin = await tokenFor(randomUUID(), 'admin');
});
afterAll(() => service.stop());

const BASE = '/api/v1/admin';
const LIVE = `${BASE}/location-tracking/journey/live`;
const UPDATES = `${BASE}/location-tracking/journey/updates`;
const sessionCalls = ['start-journey', 'arrived', 'stop-journey'];
const uuid = '3f2b8c1e-9d4a-4f6b-8a57-0c1d2e3f4a5b';

test.each(sessionCalls)('%s of an id that cannot be decoded or is none is 400', async (call) => {
  for (const id of ['%', '%E0%A4%A', '%2e%2e', 'x'.repeat(2000)]) {
    const headers = { Authorization: `Bearer ${trainer}` };
    const { status, text } = await rawRequest(service.url, `${BASE}/sessions/${id}/${call}`, { headers });
    expect({ id, status, text }).toMatchObject({
      status: 400,
      text: expect.stringContaining('VALIDATION_FAILED') as string,
    });
  }
});

test.each([
  '',
  '?',
  '?sessionId',
  '?sessionId=',
  `?sessionid=${uuid}`,
  `?id=${uuid}`,
  `?sessionId[]=${uuid}`,
  `?sessionId[x]=${uuid}`,
  `?sessionId=${uuid}&sessionId=${uuid}`,
  `?sessionId=${uuid}&sessionId=abc`,
  '?sessionId=abc',
])('live%s is refused, and the field named', async (query) => {
  const answer = await service.api.call('GET', `${LIVE}${query}`, { token: admin });
  expect(refusal(answer)).toMatchObject({
    status: 400,
    code: 'VALIDATION_FAILED',
    details: [{ path: 'sessionId' }],
  });
});

test('parameters of the query that are not known are ignored', async () => {
  const { sessionId, studentToken } = await aSession();
  const answer = await service.api.call('GET', `${LIVE}?x=1&sessionId=${sessionId}&__proto__[y]=2`, {
    token: studentToken,
  });
  expect(data(answer)).toMatchObject({ sessionId });
});

test.each([
  ['GET', '/nothing'],
  ['POST', BASE],
  ['GET', `${BASE}/nothing`],
  ['POST', `${BASE}/sessions/${uuid}`],
  ['POST', `${BASE}/sessions/${uuid}/restart`],
  ['POST', `${BASE}/sessions//start-journey`],
  ['GET', `${BASE}/location-tracking/journey`],
  ['GET', '/api/v2/admin/location-tracking/journey/live'],
  ['GET', '/metrics'],
])('%s %s is not found', async (method, path) => {
  const answer = await service.api.call(method, path, { token: admin });
  expect(refusal(answer)).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  expect(answer.body['success']).toBe(false);
});

const posts = [...sessionCalls.map((call) => `${BASE}/sessions/${uuid}/${call}`), UPDATES];
const open = ['/health/live', '/health/ready', '/openapi.json'];
const wrongMethods = [
  ...posts.flatMap((path) => ['GET', 'DELETE'].map((method) => [method, path, 'POST'] as const)),
  ...['POST', 'DELETE'].map((method) => [method, `${LIVE}?sessionId=${uuid}`, 'GET'] as const),
  ...open.map((path) => ['POST', path, 'GET'] as const),
];

test.each(wrongMethods)('%s %s is not allowed, and Allow has %s', async (method, path, allowed) => {
  const answer = await service.api.call(method, path, { token: admin });
  expect(refusal(answer)).toMatchObject({ status: 405, code: 'METHOD_NOT_ALLOWED' });
  const methods = (answer.headers['allow'] ?? '').split(/, */);
  expect(methods).toContain(allowed);
  expect(methods).not.toContain(method);
});

test('a GET of start-journey starts nothing', async () => {
  const { sessionId, trainerToken } = await aSession();
  await service.api.call('GET', `${BASE}/sessions/${sessionId}/start-journey`, { token: trainerToken });
  await service.api.call('HEAD', `${BASE}/sessions/${sessionId}/start-journey`, { token: trainerToken });
  expect(await exists(keyOf.active(sessionId))).toBe(false);
});

test('a method in a header or in the query is not looked at', async () => {
  const journey = await aJourney(service.api);
  const path = `${LIVE}?sessionId=${journey.sessionId}&_method=DELETE`;
  const headers = { 'X-HTTP-Method-Override': 'DELETE' };
  expect((await service.api.call('GET', path, { token: journey.studentToken, headers })).status).toBe(200);
});

describe('HEAD', () => {
  const head = (path: string, token?: string) =>
    rawRequest(service.url, path, {
      method: 'HEAD',
      headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
    });

  test('of live answers as GET does, without the body', async () => {
    const { sessionId, studentToken } = await aJourney(service.api);
    const got = await service.api.live(sessionId, studentToken);
    const answer = await head(`${LIVE}?sessionId=${sessionId}`, studentToken);
    expect([answer.status, answer.text, answer.headers['etag']]).toEqual([200, '', got.headers['etag']]);
  });

  test('of live without a token is refused', async () => {
    expect((await head(`${LIVE}?sessionId=${uuid}`)).status).toBe(401);
  });

  test.each(posts)('of %s is not allowed', async (path) => {
    expect(await head(path, trainer)).toMatchObject({ status: 405, text: '' });
  });

  test.each(open)('of %s is answered', async (path) => {
    expect(await head(path)).toMatchObject({ status: 200, text: '' });
  });
});

test.each(open)('%s needs no token', async (path) => {
  expect((await service.api.call('GET', path)).status).toBe(200);
});

describe('every refusal has the envelope', () => {
  const refusals: [
    status: number,
    call: (journey: ASession) => Promise<{ body: Record<string, unknown>; status: number }>,
  ][] = [
    [400, ({ trainerToken }) => service.api.update(trainerToken, '{')],
    [401, ({ sessionId }) => service.api.live(sessionId, 'x')],
    [403, ({ sessionId, studentToken }) => service.api.stop(sessionId, studentToken)],
    [404, () => service.api.start(randomUUID(), trainer)],
    [404, () => service.api.call('GET', '/nothing')],
    [405, () => service.api.call('DELETE', UPDATES, { token: trainer })],
    [409, ({ sessionId, trainerToken }) => service.api.start(sessionId, trainerToken)],
    [413, ({ trainerToken }) => service.api.update(trainerToken, ' '.repeat(20_000))],
    [415, ({ trainerToken }) => service.api.update(trainerToken, 'x', { 'Content-Type': 'text/plain' })],
    [
      429,
      async ({ sessionId, trainerToken }) => {
        await service.api.update(trainerToken, { sessionId, ...metersNorth(1) });
        return service.api.update(trainerToken, { sessionId, ...metersNorth(1) });
      },
    ],
  ];

  test.each(refusals)('%d', async (status, call) => {
    const answer = await call(await aJourney(service.api));
    expect(answer.status).toBe(status);
    const { success, message, error, ...rest } = answer.body;
    expect({ success, rest }).toEqual({ success: false, rest: {} });
    expect(message).toMatch(/\w/);
    const { code, requestId } = error as { code: string; requestId: string };
    expect(code).toMatch(/^[A-Z_]+$/);
    expect(requestId).toMatch(/^\S+$/);
    expect(
      Object.keys(error as object).filter((name) => !['code', 'requestId', 'details'].includes(name)),
    ).toEqual([]);
  });
});
