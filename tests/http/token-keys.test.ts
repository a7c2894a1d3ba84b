import { exportSPKI, importJWK, SignJWT, type CryptoKey } from 'jose';
import type { ServerResponse } from 'node:http';
import { aSession } from '../support/a-session.js';
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
import { SECRET, tokenFor } from '../support/tokens.js';
import { until } from '../support/until.js';

const realNow = Date.now.bind(Date);
const algorithms = ['RS256', 'ES256', 'EdDSA'];

let keys: SigningKey[];
let keyServer: KeyServer;
let service: RunningService;
/** All that a test started; stopped together, because each waits a moment for its last events. */
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

test.each(algorithms)('a token signed with a %s key of the key server is accepted', async (alg) => {
  const { sessionId, studentId } = await aSession();
  const token = await signedBy(theKey(alg), studentId, 'student');
  expect(await timedLive(service.url, sessionId, token)).toMatchObject({ status: 200 });
});

test('the keys are asked for once for many tokens', async () => {
  const { sessionId, studentId } = await aSession();
  for (let times = 5; times > 0; times--) {
    await timedLive(service.url, sessionId, await signedBy(theKey('ES256'), studentId, 'student'));
  }
  expect(keyServer.requests()).toBe(1);
});

test('a token signed by HS256 with the public key as the secret is refused', async () => {
  const { sessionId, studentId } = await aSession();
  const { publicJwk, kid } = theKey('RS256');
  const pem = await exportSPKI((await importJWK({ ...publicJwk }, 'RS256')) as CryptoKey);
  const token = await new SignJWT({ sub: studentId, role: 'student' })
    .setProtectedHeader({ alg: 'HS256', kid })
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(pem));
  expect(await timedLive(service.url, sessionId, token)).toMatchObject(invalid);
});

test('a token of the shared secret is refused where keys come from a key server', async () => {
  const { sessionId, studentId } = await aSession();
  expect(SECRET.length).toBeGreaterThan(0);
  expect(await timedLive(service.url, sessionId, await tokenFor(studentId, 'student'))).toMatchObject(
    invalid,
  );
});

test('an algorithm that is none of the three is refused although the key server has its key', async () => {
  const key = await aSigningKey('PS256', 'a-PS256-key');
  keyServer.keys.push(key);
  const { sessionId, studentId } = await aSession();
  expect(await timedLive(service.url, sessionId, await signedBy(key, studentId, 'student'))).toMatchObject(
    invalid,
  );
});

testOfTheSource('a key that appears is accepted once the keys may be asked for again', async () => {
  const { sessionId, studentId } = await aSession();
  await timedLive(service.url, sessionId, await signedBy(theKey('ES256'), studentId, 'student'));
  const rotated = await aSigningKey('ES256', 'the-next-key');
  keyServer.keys.push(rotated);
  later(31_000);
  const token = await signedBy(rotated, studentId, 'student');
  expect(await timedLive(service.url, sessionId, token)).toMatchObject({ status: 200 });
});

test('tokens of unknown keys do not make a request to the key server each', async () => {
  const { sessionId, studentId } = await aSession();
  await timedLive(service.url, sessionId, await signedBy(theKey('ES256'), studentId, 'student'));
  const stranger = await aSigningKey('ES256', 'a-key-of-a-stranger');
  for (let times = 5; times > 0; times--) {
    await timedLive(service.url, sessionId, await signedBy(stranger, studentId, 'student'));
  }
  expect(keyServer.requests()).toBeLessThanOrEqual(2);
});

testOfTheSource(
  'a key that the key server no longer has is no longer accepted once the keys are asked for again',
  async () => {
    const { sessionId, studentId } = await aSession();
    const [withdrawn, stays] = [theKey('ES256'), theKey('EdDSA')];
    await timedLive(service.url, sessionId, await signedBy(withdrawn, studentId, 'student'));
    keyServer.keys = [stays];
    later(11 * 60_000);
    await timedLive(service.url, sessionId, await signedBy(stays, studentId, 'student'));
    // Asked for beside the call, so that no caller waits for it.
    await until('the withdrawn key is refused', async () => {
      const token = await signedBy(withdrawn, studentId, 'student');
      return (await timedLive(service.url, sessionId, token)).status === 401;
    });
  },
);

testOfTheSource(
  'a token that was accepted before its key was taken back is refused within a quarter of an hour',
  async () => {
    const { sessionId, studentId } = await aSession();
    const [withdrawn, stays] = [theKey('RS256'), theKey('EdDSA')];
    const token = await signedBy(withdrawn, studentId, 'student');
    expect(await timedLive(service.url, sessionId, token)).toMatchObject({ status: 200 });
    keyServer.keys = [stays];
    const before = keyServer.requests();
    later(10 * 60_000);
    await timedLive(service.url, sessionId, await signedBy(stays, studentId, 'student'));
    await until('the keys are asked for', () => keyServer.requests() > before);
    later(15 * 60_000);
    await until('it is refused', async () => {
      return (await timedLive(service.url, sessionId, token)).status === 401;
    });
  },
);

const troubles: [name: string, answer: (response: ServerResponse) => void][] = [
  ['closes the connection', (response) => void response.destroy()],
  ['answers 500', (response) => void response.writeHead(500).end()],
  [
    'answers a page instead of keys',
    (response) => void response.writeHead(200).end('<html>maintenance</html>'),
  ],
  ['hangs', () => undefined],
];

describe.each(troubles)('while the key server %s', (_name, answer) => {
  test('a token that was not seen before is 503 within a second, not 401', async () => {
    const { sessionId, studentId } = await aSession();
    keyServer.answerWith(answer);
    const token = await signedBy(theKey('ES256'), studentId, 'student');
    const live = await withinASecond(() => timedLive(service.url, sessionId, token));
    expect(live).toMatchObject(unavailable);
    expect(live.ms).toBeLessThan(1_000);
  });

  testOfTheSource('a token that was seen before works, and after a while too', async () => {
    const { sessionId, studentId } = await aSession();
    const token = await signedBy(theKey('ES256'), studentId, 'student');
    await timedLive(service.url, sessionId, token);
    keyServer.answerWith(answer);
    expect(await timedLive(service.url, sessionId, token)).toMatchObject({ status: 200 });
    later(11 * 60_000);
    expect(await timedLive(service.url, sessionId, token)).toMatchObject({ status: 200 });
  });
});

test('a new token is accepted within two seconds after the key server is back', async () => {
  const { sessionId, studentId } = await aSession();
  keyServer.answerWith((response) => void response.destroy());
  const token = await signedBy(theKey('ES256'), studentId, 'student');
  await timedLive(service.url, sessionId, token);
  keyServer.answerWith(undefined);
  const isAccepted = async () => (await timedLive(service.url, sessionId, token)).status === 200;
  await until('the token is accepted', isAccepted, 2_000);
});

testOfTheSource(
  'a new token of a known key is accepted while the key server is away, also after a while',
  async () => {
    const { sessionId, studentId } = await aSession();
    const key = theKey('ES256');
    await timedLive(service.url, sessionId, await signedBy(key, studentId, 'student'));
    keyServer.answerWith((response) => void response.destroy());
    later(11 * 60_000);
    const token = await signedBy(key, studentId, 'student');
    expect(await timedLive(service.url, sessionId, token)).toMatchObject({ status: 200 });
  },
);

test('a token that names no key is accepted by any of two of its kind', async () => {
  const { sessionId, studentId } = await aSession();
  const second = await aSigningKey('ES256', 'a-second-key');
  keyServer.keys.push(second);
  for (const key of [theKey('ES256'), second]) {
    const token = await signedWithoutKid(key, studentId);
    expect(await timedLive(service.url, sessionId, token)).toMatchObject({ status: 200 });
  }
});

test('a token without any form of one is 401 although the key server is away', async () => {
  const { sessionId } = await aSession();
  keyServer.answerWith((response) => void response.destroy());
  expect(await timedLive(service.url, sessionId, 'not.a.token')).toMatchObject(invalid);
});

test('a token that was accepted before is refused once it has expired', async () => {
  const { sessionId, studentId } = await aSession();
  const { privateKey, kid, alg } = theKey('RS256');
  const token = await new SignJWT({ sub: studentId, role: 'student' })
    .setProtectedHeader({ alg, kid })
    // 5 s of leeway: it is accepted for 3 s more.
    .setExpirationTime(Math.floor(Date.now() / 1000) - 2)
    .sign(privateKey);
  expect(await timedLive(service.url, sessionId, token)).toMatchObject({ status: 200 });
  await until('it is refused', async () => (await timedLive(service.url, sessionId, token)).status === 401);
});

function theKey(alg: string): SigningKey {
  const key = keys.find((each) => each.alg === alg);
  if (key === undefined) throw new Error(`no key of ${alg}`);
  return key;
}

/** The service's idea of the time is so much ahead of the real one from now on; nothing is waited for. */
function later(ms: number): void {
  jest.spyOn(Date, 'now').mockImplementation(() => realNow() + ms);
}
