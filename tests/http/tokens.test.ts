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

function expectUnauthenticated(answer: Answer): void {
  expect(refusal(answer)).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
  expect(answer.headers['www-authenticate']).toMatch(/^Bearer\b/);
}

test('a token of the right kind is taken', async () => {
  expect((await poll(tokenOf())).status).toBe(200);
});

const calls: [call: string, method: string, path: (sessionId: string) => string][] = [
  ['start-journey', 'POST', (id) => `/api/v1/admin/sessions/${id}/start-journey`],
  ['updates', 'POST', () => '/api/v1/admin/location-tracking/journey/updates'],
  ['live', 'GET', (id) => `/api/v1/admin/location-tracking/journey/live?sessionId=${id}`],
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
  const path = `/api/v1/admin/location-tracking/journey/live?sessionId=${session.sessionId}`;
  expectUnauthenticated(await service.api.call('GET', path, { headers: { Authorization: header } }));
});

test('a token without its scheme is refused', async () => {
  const path = `/api/v1/admin/location-tracking/journey/live?sessionId=${session.sessionId}`;
  expectUnauthenticated(await service.api.call('GET', path, { headers: { Authorization: tokenOf() } }));
});

test('the scheme may be written in small letters', async () => {
  const path = `/api/v1/admin/location-tracking/journey/live?sessionId=${session.sessionId}`;
  const answer = await service.api.call('GET', path, { headers: { Authorization: `bearer ${tokenOf()}` } });
  expect(answer.status).toBe(200);
});

test.each(['access_token', 'token'])('a token in the query as %s is none', async (name) => {
  const query = `sessionId=${session.sessionId}&${name}=${tokenOf()}`;
  expectUnauthenticated(
    await service.api.call('GET', `/api/v1/admin/location-tracking/journey/live?${query}`),
  );
});

const wrong: [what: string, token: () => string][] = [
  ['that has expired', () => tokenOf({ claims: claims({ exp: secondsFromNow(-10) }) })],
  ['that is not valid yet', () => tokenOf({ claims: claims({ nbf: secondsFromNow(60) }) })],
  ['without exp', () => tokenOf({ claims: claims({ exp: undefined }) })],
  ['whose exp is a text', () => tokenOf({ claims: claims({ exp: String(secondsFromNow(600)) }) })],
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

test('a token whose claims were changed after it was signed is refused', async () => {
  const [header, , signature] = tokenOf().split('.');
  const [, forged] = tokenOf({ claims: claims({ role: 'admin' }) }).split('.');
  expectUnauthenticated(await poll(`${header ?? ''}.${forged ?? ''}.${signature ?? ''}`));
});

test('the changed claims of a token that was taken before are refused', async () => {
  const good = tokenOf();
  expect((await poll(good)).status).toBe(200);
  expectUnauthenticated(await poll(`${good.slice(0, -4)}AAAA`));
});

test('a token that expired 2 s ago is taken: clocks differ', async () => {
  expect((await poll(tokenOf({ claims: claims({ exp: secondsFromNow(-2) }) }))).status).toBe(200);
});

test('a token that is valid from 3 s on is taken: clocks differ', async () => {
  expect((await poll(tokenOf({ claims: claims({ nbf: secondsFromNow(3) }) }))).status).toBe(200);
});

test('a token that was taken is refused as soon as it has expired', async () => {
  const token = tokenOf({ claims: claims({ exp: secondsFromNow(-4) }) });
  const first = await poll(token);
  // The second may have passed meanwhile, and then there is nothing to wait for.
  if (first.status === 200)
    await until('it has expired', async () => (await poll(token)).status === 401, 3_000);
  expectUnauthenticated(await poll(token));
});

test.each([
  ['upper-case in the token', (id: string) => id.toUpperCase()],
  ['of mixed case in the token', (id: string) => id.replace(/[a-f]/, (letter) => letter.toUpperCase())],
])('a user id that is %s is the same user', async (_what, written) => {
  const token = tokenOf({ claims: claims({ sub: written(session.studentId) }) });
  expect((await poll(token)).status).toBe(200);
});

test("an upper-case trainer's id is stored and shown in lower case", async () => {
  const { sessionId, trainerId } = await aSession();
  const answer = await service.api.start(sessionId, await tokenFor(trainerId.toUpperCase(), 'trainer'));
  expect(answer.body['data']).toMatchObject({ trainerId });
});

test('where issuer and audience are set, a token of both is taken', async () => {
  const token = tokenOf({ claims: claims({ iss: ISSUER, aud: AUDIENCE }) });
  expect((await poll(token, strict)).status).toBe(200);
});

test('where an audience is set, a token for it among others is taken', async () => {
  const token = tokenOf({ claims: claims({ iss: ISSUER, aud: ['other', AUDIENCE] }) });
  expect((await poll(token, strict)).status).toBe(200);
});

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

test('where neither is set, a token of any issuer and audience is taken', async () => {
  expect((await poll(tokenOf({ claims: claims({ iss: 'x', aud: 'y' }) }))).status).toBe(200);
});

describe('a wrong role', () => {
  test.each([
    ['start', 'student'],
    ['start', 'admin'],
    ['arrived', 'student'],
    ['arrived', 'admin'],
    ['stop', 'student'],
  ] as const)('for %s: a %s is refused as FORBIDDEN', async (call, role) => {
    const journey = call === 'start' ? await aSession() : await aJourney(service.api);
    // The ids are right; only the role is not.
    const token = await tokenFor(role === 'student' ? journey.studentId : journey.trainerId, role);
    expect(refusal(await service.api[call](journey.sessionId, token))).toMatchObject({
      status: 403,
      code: 'FORBIDDEN',
    });
  });

  test.each(['student', 'admin'] as const)('for an update: a %s is refused as FORBIDDEN', async (role) => {
    const { sessionId, trainerId } = await aJourney(service.api);
    const answer = await service.api.update(await tokenFor(trainerId, role), {
      sessionId,
      latitude: 1,
      longitude: 1,
    });
    expect(refusal(answer)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  });

  test("is refused before any lookup: a student's start of a session that nobody knows is FORBIDDEN", async () => {
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
  const OLD = 'the secret that is to be replaced, of 32 bytes at least';
  const NEW = 'the secret that it is replaced by, of 32 bytes at least';
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

  test.each([
    ['old', OLD],
    ['new', NEW],
  ])('while a secret is replaced, a token by the %s one is taken', async (_which, secret) => {
    expect((await pollWith(secret, amid)).status).toBe(200);
  });

  test('while a secret is replaced, a token by any other is refused', async () => {
    const answer = await pollWith('a secret that is neither of the two, long enough', amid);
    expect(refusal(answer)).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
  });

  test('once it is replaced, a token by the old secret is refused', async () => {
    expect((await pollWith(NEW, after)).status).toBe(200);
    expect(refusal(await pollWith(OLD, after))).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
  });
});
