import { randomUUID } from 'node:crypto';
import { aJourney } from '../support/a-journey.js';
import { aSession, type ASession } from '../support/a-session.js';
import { refusal, type Answer } from '../support/api.js';
import { oddToken, type OddToken, secondsFromNow, tokenFor } from '../support/tokens.js';
import { runService, type RunningService } from '../support/running-service.js';
import { until } from '../support/until.js';

const ISSUER = 'https://auth.example.com';
const AUDIENCE = 'admin-service';
let service: RunningService;
let strict: RunningService;
let session: ASession;
beforeAll(async () => {
  service = await runService();
  strict = await runService({ settings: { AUTH_ISSUER: ISSUER, AUTH_AUDIENCE: AUDIENCE } });
  session = await aSession();
});
afterAll(async () => {
  await service.stop();
  await strict.stop();
});

/** The claims of the session's student, which are good ones, with these changes. */
const claims = (changes: Record<string, unknown> = {}) => ({
  ...{ sub: session.studentId, role: 'student', exp: secondsFromNow(600) },
  ...changes,
});
const tokenOf = (token: OddToken = {}) => oddToken({ claims: claims(), ...token });
const poll = (token: string, of: RunningService = service) => of.api.live(session.sessionId, token);
const LIVE = '/api/v1/admin/location-tracking/journey/live';
/** A poll with this value of the Authorization header. */
const pollWithHeader = (Authorization: string) =>
  service.api.call('GET', `${LIVE}?sessionId=${session.sessionId}`, { headers: { Authorization } });

function expectUnauthenticated(answer: Answer): void {
  expect(refusal(answer)).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
  expect(answer.headers['www-authenticate']).toMatch(/^Bearer\b/);
}

test('a valid token is accepted', async () => {
  expect((await poll(tokenOf())).status).toBe(200);
});

const calls: [call: string, method: string, path: (sessionId: string) => string][] = [
  ['start-journey', 'POST', (id) => `/api/v1/admin/sessions/${id}/start-journey`],
  ['updates', 'POST', () => '/api/v1/admin/location-tracking/journey/updates'],
  ['live', 'GET', (id) => `${LIVE}?sessionId=${id}`],
  ['arrived', 'POST', (id) => `/api/v1/admin/sessions/${id}/arrived`],
  ['stop-journey', 'POST', (id) => `/api/v1/admin/sessions/${id}/stop-journey`],
];

test.each(calls)('%s without a token is refused as UNAUTHENTICATED', async (_call, method, path) => {
  expectUnauthenticated(await service.api.call(method, path(session.sessionId)));
});

test.each(calls)(
  '%s with a wrong token is refused for that, whatever else is wrong',
  async (_call, method, path) => {
    const body = method === 'POST' ? { body: '{' } : {};
    expectUnauthenticated(await service.api.call(method, path('no-id'), { token: 'x.y.z', ...body }));
  },
);

test.each([
  ['empty', ''],
  ['the scheme alone', 'Bearer'],
  ['the scheme and a blank', 'Bearer '],
  ['of another scheme', 'Basic dXNlcjpwYXNz'],
  ['no JWT', 'Bearer abc'],
  ['of empty parts', 'Bearer ..'],
  ['of two parts', 'Bearer eyJhbGciOiJIUzI1NiJ9.e30'],
  ['of parts that are no JSON', 'Bearer YWJj.YWJj.YWJj'],
  ['a JWE', 'Bearer a.b.c.d.e'],
  ['8 KB of letters', `Bearer ${'a'.repeat(8000)}`],
])('a header that is %s is refused as UNAUTHENTICATED', async (_what, header) => {
  expectUnauthenticated(await pollWithHeader(header));
});

test('a token needs its scheme, in upper or lower case', async () => {
  expectUnauthenticated(await pollWithHeader(tokenOf()));
  expect((await pollWithHeader(`bearer ${tokenOf()}`)).status).toBe(200);
});

test.each(['access_token', 'token'])('a token in the query as %s is ignored', async (name) => {
  const query = `sessionId=${session.sessionId}&${name}=${tokenOf()}`;
  expectUnauthenticated(await service.api.call('GET', `${LIVE}?${query}`));
});

const wrong: [what: string, token: () => string][] = [
  ['that has expired', () => tokenOf({ claims: claims({ exp: secondsFromNow(-10) }) })],
  ['that is not valid yet', () => tokenOf({ claims: claims({ nbf: secondsFromNow(60) }) })],
  ['without exp', () => tokenOf({ claims: claims({ exp: undefined }) })],
  ['whose exp is a string', () => tokenOf({ claims: claims({ exp: String(secondsFromNow(600)) }) })],
  ['without sub', () => tokenOf({ claims: claims({ sub: undefined }) })],
  ['whose sub is no UUID', () => tokenOf({ claims: claims({ sub: 'student-1' }) })],
  ['whose sub is a number', () => tokenOf({ claims: claims({ sub: 12 }) })],
  ['without a role', () => tokenOf({ claims: claims({ role: undefined }) })],
  ['of several roles', () => tokenOf({ claims: claims({ role: ['student', 'admin'] }) })],
  ['signed with another secret', () => tokenOf({ secret: 'another secret, which is long enough as well' })],
  ['without its signature', () => tokenOf({ signature: '' })],
  ['with a signature of zeros', () => tokenOf({ signature: 'A'.repeat(43) })],
  ['of alg none', () => tokenOf({ header: { alg: 'none' }, signature: '' })],
  ['of alg nOnE', () => tokenOf({ header: { alg: 'nOnE' }, signature: '' })],
  ['of alg RS256 that is signed with the secret', () => tokenOf({ header: { alg: 'RS256' } })],
  ['of HS512', () => tokenOf({ header: { alg: 'HS512' }, hash: 'sha512' })],
  ['without alg', () => tokenOf({ header: { alg: undefined } })],
  ['with a critical extension', () => tokenOf({ header: { crit: ['x'], x: 1 } })],
];

test.each(wrong)('a token %s is refused as UNAUTHENTICATED', async (_what, token) => {
  expectUnauthenticated(await poll(token()));
});

test('a token whose claims or signature were changed is refused, also when it was accepted before', async () => {
  const [header = '', , signature = ''] = tokenOf().split('.');
  const [, forged = ''] = tokenOf({ claims: claims({ role: 'admin' }) }).split('.');
  expectUnauthenticated(await poll(`${header}.${forged}.${signature}`));
  const good = tokenOf();
  expect((await poll(good)).status).toBe(200);
  expectUnauthenticated(await poll(`${good.slice(0, -4)}AAAA`));
});

test.each<[what: string, changes: () => Record<string, unknown>]>([
  ['that expired 2 s ago, because clocks differ', () => ({ exp: secondsFromNow(-2) })],
  ['that is valid from 3 s on, because clocks differ', () => ({ nbf: secondsFromNow(3) })],
  ['whose user id is in upper case', () => ({ sub: session.studentId.toUpperCase() })],
  ['of any issuer and audience where none is set', () => ({ iss: 'x', aud: 'y' })],
])('a token %s is accepted', async (_what, changes) => {
  expect((await poll(tokenOf({ claims: claims(changes()) }))).status).toBe(200);
});

test('a token that was accepted is refused as soon as it has expired', async () => {
  // With the leeway of 5 s it is valid for another 2 to 3 s.
  const token = tokenOf({ claims: claims({ exp: secondsFromNow(-2) }) });
  expect((await poll(token)).status).toBe(200);
  await until('it has expired', async () => (await poll(token)).status !== 200, 5_000);
  expectUnauthenticated(await poll(token));
});

test("an upper-case trainer's id is stored and shown in lower case", async () => {
  const { sessionId, trainerId } = await aSession();
  const answer = await service.api.start(sessionId, await tokenFor(trainerId.toUpperCase(), 'trainer'));
  expect(answer.body['data']).toMatchObject({ trainerId });
});

test.each([AUDIENCE, ['other', AUDIENCE]])(
  'where issuer and audience are set, a token for %s is accepted',
  async (aud) => {
    expect((await poll(tokenOf({ claims: claims({ iss: ISSUER, aud }) }), strict)).status).toBe(200);
  },
);

test.each([
  ['neither', {}],
  ['no issuer', { aud: AUDIENCE }],
  ['another issuer', { iss: 'https://evil.example.com', aud: AUDIENCE }],
  ['no audience', { iss: ISSUER }],
  ['another audience', { iss: ISSUER, aud: 'other' }],
  ['an empty audience', { iss: ISSUER, aud: [] }],
])('where issuer and audience are set, a token of %s is refused', async (_what, changes) => {
  expectUnauthenticated(await poll(tokenOf({ claims: claims(changes) }), strict));
});

describe('a wrong role', () => {
  test.each([
    ['update', 'student'],
    ['update', 'admin'],
    ['start', 'student'],
    ['start', 'admin'],
    ['arrived', 'student'],
    ['arrived', 'admin'],
    ['stop', 'student'],
  ] as const)('for %s: a %s is refused as FORBIDDEN', async (call, role) => {
    const journey = call === 'start' ? await aSession() : await aJourney(service.api);
    // The ids are right; only the role is not.
    const token = await tokenFor(role === 'student' ? journey.studentId : journey.trainerId, role);
    const { sessionId } = journey;
    const answer =
      call === 'update'
        ? service.api.update(token, { sessionId, latitude: 1, longitude: 1 })
        : service.api[call](sessionId, token);
    expect(refusal(await answer)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  });

  test("is refused before any lookup: a student's start of an unknown session is FORBIDDEN", async () => {
    const answer = await service.api.start(randomUUID(), await tokenFor(randomUUID(), 'student'));
    expect(refusal(answer)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  });
});

test.each(['superuser', 'ADMIN'])(
  'a valid token with the role %s, which the service does not know, is 403',
  async (role) => {
    const answer = await service.api.live(session.sessionId, tokenOf({ claims: claims({ role }) }));
    expect(refusal(answer)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  },
);

describe('the rotation of a shared secret', () => {
  const OLD = 'the secret that is replaced, of 32 bytes at least';
  const NEW = 'the secret that replaces it, of 32 bytes at least';
  let amid: RunningService;
  let after: RunningService;
  beforeAll(async () => {
    amid = await runService({ settings: { AUTH_JWT_SECRET: OLD, AUTH_JWT_SECRET_NEXT: NEW } });
    after = await runService({ settings: { AUTH_JWT_SECRET: NEW } });
  });
  afterAll(async () => {
    await amid.stop();
    await after.stop();
  });

  function pollWith(secret: string, service: RunningService) {
    const claims = { sub: session.studentId, role: 'student', exp: secondsFromNow(600) };
    return service.api.live(session.sessionId, oddToken({ claims, secret }));
  }

  test('while a secret is replaced, tokens of the old and of the new one are accepted, and of no other', async () => {
    for (const secret of [OLD, NEW]) expect((await pollWith(secret, amid)).status).toBe(200);
    expectUnauthenticated(await pollWith('a secret that is neither of the two, long enough', amid));
  });

  test('once it is replaced, a token of the old secret is refused', async () => {
    expect((await pollWith(NEW, after)).status).toBe(200);
    expectUnauthenticated(await pollWith(OLD, after));
  });
});
