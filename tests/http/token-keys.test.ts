import { exportSPKI, importJWK, SignJWT, type CryptoKey } from 'jose';
import type { ServerResponse } from 'node:http';
import { aSession, type ASession } from '../support/a-session.js';
import { timedLive, unavailable, withinASecond } from '../support/five-calls.js';
import {
  aSigningKey,
  signedBy,
  signedWithoutKid,
  startKeyServer,
  type KeyServer,
  type SigningKey,
} from '../support/key-server.js';
import { testOfTheSource } from '../support/service-process.js';
import { runService, type RunningService } from '../support/running-service.js';
import { tokenFor } from '../support/tokens.js';
import { until } from '../support/until.js';

const realNow = Date.now.bind(Date);
const realPerformanceNow = performance.now.bind(performance);
const algorithms = ['RS256', 'ES256', 'EdDSA'];

let keys: SigningKey[];
let keyServer: KeyServer;
let service: RunningService;
/** Stopped together, because each waits a moment for its last events. */
const started: { stop(): Promise<void> }[] = [];
beforeAll(async () => {
  keys = await Promise.all(algorithms.map((alg) => aSigningKey(alg, `the-${alg}-key`)));
});
beforeEach(async () => {
  keyServer = await startKeyServer([...keys]);
  // An empty setting is one that is not set.
  service = await runService({ settings: { AUTH_JWT_SECRET: '', AUTH_JWKS_URL: keyServer.url } });
  started.push(service, keyServer);
});
afterEach(() => {
  jest.restoreAllMocks();
});
afterAll(async () => {
  await Promise.all(started.map((each) => each.stop()));
});

const invalid = { status: 401, code: 'UNAUTHENTICATED' };
const accepted = { status: 200 };
const gone = (response: ServerResponse) => void response.destroy();

let session: ASession;
beforeEach(async () => {
  session = await aSession();
});
const poll = (token: string) => timedLive(service.url, session.sessionId, token);
const tokenBy = (key: SigningKey) => signedBy(key, session.studentId, 'student');
/** A poll with a new token of this key. */
const pollBy = async (key: SigningKey) => poll(await tokenBy(key));

test.each(algorithms)('a token signed with a %s key of the key server is accepted', async (alg) => {
  expect(await pollBy(theKey(alg))).toMatchObject(accepted);
});

test('the keys are asked for once for many tokens', async () => {
  for (let times = 5; times > 0; times--) {
    await pollBy(theKey('ES256'));
  }
  expect(keyServer.requests()).toBe(1);
});

test('a token signed by HS256 with the public key as the secret is refused', async () => {
  const { publicJwk, kid } = theKey('RS256');
  const pem = await exportSPKI((await importJWK({ ...publicJwk }, 'RS256')) as CryptoKey);
  const token = await new SignJWT({ sub: session.studentId, role: 'student' })
    .setProtectedHeader({ alg: 'HS256', kid })
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(pem));
  expect(await poll(token)).toMatchObject(invalid);
});

test('a token of the shared secret is refused where keys come from a key server', async () => {
  expect(await poll(await tokenFor(session.studentId, 'student'))).toMatchObject(invalid);
});

test('an algorithm that is none of the three is refused although the key server has its key', async () => {
  const key = await aSigningKey('PS256', 'a-PS256-key');
  keyServer.keys.push(key);
  expect(await pollBy(key)).toMatchObject(invalid);
});

testOfTheSource('a key that appears is accepted once the keys may be asked for again', async () => {
  await pollBy(theKey('ES256'));
  const rotated = await aSigningKey('ES256', 'the-next-key');
  keyServer.keys.push(rotated);
  later(31_000);
  expect(await pollBy(rotated)).toMatchObject(accepted);
});

testOfTheSource(
  'a key that is new within the cooldown after an unknown one is 503 until it is fetched',
  async () => {
    const [stranger, rotated] = await Promise.all([
      aSigningKey('ES256', 'a-key-of-a-stranger'),
      aSigningKey('ES256', 'the-next-key'),
    ]);
    expect(await pollBy(stranger)).toMatchObject(invalid);
    keyServer.keys.push(rotated);
    expect(await pollBy(rotated)).toMatchObject(unavailable);
    expect(await pollBy(stranger)).toMatchObject(unavailable);
    later(6_000);
    expect(await pollBy(rotated)).toMatchObject(accepted);
    later(12_000);
    expect(await pollBy(stranger)).toMatchObject(invalid);
  },
);

test.each([450, 4_000])(
  'a key server that takes %d ms is reached in the background, and until then requests are 503',
  async (delayMs) => {
    keyServer.delayMs = delayMs;
    const token = await tokenBy(theKey('ES256'));
    const first = await withinASecond(() => poll(token));
    expect(first).toMatchObject(unavailable);
    expect(first.ms).toBeLessThan(1_000);
    await until('the keys are there', async () => (await poll(token)).status === 200, delayMs + 2_000);
    expect(keyServer.requests()).toBe(1);
  },
);

test('tokens of unknown keys do not make a request to the key server each', async () => {
  await pollBy(theKey('ES256'));
  const stranger = await aSigningKey('ES256', 'a-key-of-a-stranger');
  for (let times = 5; times > 0; times--) {
    await pollBy(stranger);
  }
  expect(keyServer.requests()).toBeLessThanOrEqual(2);
});

testOfTheSource(
  'a token that was accepted before its key was withdrawn is refused within a quarter of an hour',
  async () => {
    const [withdrawn, stays] = [theKey('RS256'), theKey('EdDSA')];
    const token = await tokenBy(withdrawn);
    expect(await poll(token)).toMatchObject(accepted);
    keyServer.keys = [stays];
    const before = keyServer.requests();
    later(10 * 60_000);
    await pollBy(stays);
    await until('the keys are asked for', () => keyServer.requests() > before);
    later(15 * 60_000);
    await until('it is refused', async () => (await poll(token)).status === 401);
    later(16 * 60_000);
    expect(await pollBy(withdrawn)).toMatchObject(invalid);
  },
);

const troubles: [name: string, answer: (response: ServerResponse) => void][] = [
  ['closes the connection', gone],
  ['answers 500', (response) => void response.writeHead(500).end()],
  [
    'answers a page instead of keys',
    (response) => void response.writeHead(200).end('<html>maintenance</html>'),
  ],
  ['hangs', () => undefined],
];

describe.each(troubles)('while the key server %s', (_name, answer) => {
  test('a token of an unknown key is 503 within a second, not 401', async () => {
    keyServer.answerWith(answer);
    const token = await tokenBy(theKey('ES256'));
    const live = await withinASecond(() => poll(token));
    expect(live).toMatchObject(unavailable);
    expect(live.ms).toBeLessThan(1_000);
  });

  testOfTheSource('tokens of a cached key are accepted, also after a while', async () => {
    const token = await tokenBy(theKey('ES256'));
    await poll(token);
    keyServer.answerWith(answer);
    expect(await poll(token)).toMatchObject(accepted);
    later(11 * 60_000);
    expect(await poll(token)).toMatchObject(accepted);
    expect(await pollBy(theKey('ES256'))).toMatchObject(accepted);
  });
});

test('a new token is accepted within two seconds after the key server recovers', async () => {
  keyServer.answerWith(gone);
  const token = await tokenBy(theKey('ES256'));
  await poll(token);
  keyServer.answerWith(undefined);
  const isAccepted = async () => (await poll(token)).status === 200;
  await until('the token is accepted', isAccepted, 2_000);
});

test('a token without kid is accepted by either of two keys of its algorithm', async () => {
  const second = await aSigningKey('ES256', 'a-second-key');
  keyServer.keys.push(second);
  for (const key of [theKey('ES256'), second]) {
    const token = await signedWithoutKid(key, session.studentId);
    expect(await poll(token)).toMatchObject(accepted);
  }
});

test('a malformed token is 401 although the key server is unavailable', async () => {
  keyServer.answerWith(gone);
  expect(await poll('not.a.token')).toMatchObject(invalid);
});

function theKey(alg: string): SigningKey {
  const key = keys.find((each) => each.alg === alg);
  if (key === undefined) throw new Error(`no key of ${alg}`);
  return key;
}

/** Moves both clocks of the service. */
function later(ms: number): void {
  jest.spyOn(Date, 'now').mockImplementation(() => realNow() + ms);
  jest.spyOn(performance, 'now').mockImplementation(() => realPerformanceNow() + ms);
}
