import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { aSession } from '../support/a-session.js';
import { fiveCalls, timedLive } from '../support/five-calls.js';
import {
  aSigningKey,
  signedBy,
  startKeyServer,
  type KeyServer,
  type SigningKey,
} from '../support/key-server.js';
import { runService, type RunningService } from '../support/running-service.js';

let platform: KeyServer;
let attacker: KeyServer;
let service: RunningService;
let ours: SigningKey;
let rsa: SigningKey;
let theirs: SigningKey;
beforeAll(async () => {
  [ours, rsa, theirs] = await Promise.all([
    aSigningKey('ES256', 'the-key'),
    aSigningKey('RS256', 'the-rsa-key'),
    aSigningKey('ES256', 'the-attackers-key'),
  ]);
  platform = await startKeyServer([ours, rsa]);
  attacker = await startKeyServer([theirs]);
  service = await runService({ settings: { AUTH_JWT_SECRET: '', AUTH_JWKS_URL: platform.url } });
});
afterAll(async () => {
  await service.stop();
  await platform.stop();
  await attacker.stop();
});

const tricks: [what: string, header: () => Record<string, unknown>][] = [
  ["that brings the attacker's key along", () => ({ kid: ours.kid, jwk: theirs.publicJwk })],
  ['that brings it along under a name of its own', () => ({ kid: theirs.kid, jwk: theirs.publicJwk })],
  ["that names the attacker's key server", () => ({ kid: theirs.kid, jku: attacker.url })],
  ["that names the attacker's certificate", () => ({ kid: theirs.kid, x5u: attacker.url, x5c: ['AAAA'] })],
  ['whose kid is a path', () => ({ kid: '../../../../dev/null' })],
  ['whose kid is a query', () => ({ kid: "x' union select 'secret' --" })],
  ['whose kid is an address', () => ({ kid: attacker.url })],
  ['whose kid is __proto__', () => ({ kid: '__proto__' })],
  ['whose kid is 4 KB long', () => ({ kid: 'k'.repeat(4_000) })],
  ['whose kid is a list', () => ({ kid: [ours.kid] })],
  ['without a kid', () => ({})],
  ['under the name of a key of another kind', () => ({ kid: rsa.kid })],
];

test.each(tricks)(
  "a token by the attacker's key %s is refused, and nobody but the platform is asked",
  async (_what, header) => {
    const { sessionId, studentId } = await aSession();
    const token = await new SignJWT({ sub: studentId, role: 'student', jti: randomUUID() })
      .setProtectedHeader({ alg: 'ES256', ...header() })
      .setExpirationTime('1h')
      .sign(theirs.privateKey);
    const { kid } = header();
    const isUnknown = typeof kid === 'string' && kid !== ours.kid && kid !== rsa.kid;
    // A key that is unknown may be new: 503 until the keys may be asked for again.
    const refused = isUnknown ? /^(401 UNAUTHENTICATED|503 STATE_UNAVAILABLE)$/ : /^401 UNAUTHENTICATED$/;
    const { status, code } = await timedLive(service.url, sessionId, token);
    expect(`${status} ${code}`).toMatch(refused);
    expect(attacker.requests()).toBe(0);
  },
);

test.each([
  ['of ES256 whose numbers are zero', 'ES256', 64],
  ['of RS256 whose number is zero', 'RS256', 256],
  ['of EdDSA, of which there is no key', 'EdDSA', 64],
])('a signature %s signs nothing', async (_what, alg, bytes) => {
  const { sessionId, studentId } = await aSession();
  const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const kid = alg === 'RS256' ? rsa.kid : ours.kid;
  const claims = { sub: studentId, role: 'student', exp: Math.floor(Date.now() / 1_000) + 600 };
  const token = [encoded({ alg, kid }), encoded(claims), Buffer.alloc(bytes).toString('base64url')].join('.');
  expect(await timedLive(service.url, sessionId, token)).toMatchObject({
    status: 401,
    code: 'UNAUTHENTICATED',
  });
});

test('after all these the right token is still accepted', async () => {
  const session = await aSession();
  const studentToken = await signedBy(ours, session.studentId, 'student');
  expect((await fiveCalls.live(service.url, { ...session, studentToken })).status).toBe(200);
});
