import { createHmac, randomUUID } from 'node:crypto';
import type { Request } from 'express';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Authenticator } from '../../src/http/middleware/authentication.js';

const SECRET = 'a secret of this test, long enough for HS256';
const authenticator = new Authenticator({
  key: { secrets: [SECRET] },
  issuer: undefined,
  audience: undefined,
});

function tokenOf(claims: object): string {
  const [header, payload] = [{ alg: 'HS256', typ: 'JWT' }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  const signed = `${header}.${payload}`;
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
}

const validClaims = (more: object = {}) => ({
  sub: randomUUID(),
  role: 'student',
  exp: Math.floor(Date.now() / 1_000) + 3_600,
  ...more,
});

const authenticate = (authorization: string) =>
  authenticator.authenticate({ headers: { authorization } } as Request);

test('a token is accepted in one spelling only', async () => {
  const token = tokenOf(validClaims());
  await expect(authenticate(`Bearer ${token}`)).resolves.toMatchObject({ role: 'student' });
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(token.slice(-1));
  for (const unusedBits of [1, 2, 3]) {
    const spelling = token.slice(0, -1) + (alphabet[last | unusedBits] ?? '');
    await expect(authenticate(`Bearer ${spelling}`)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  }
});

test('exactly one blank separates Bearer and the token', async () => {
  const token = tokenOf(validClaims());
  for (const blanks of ['', '  ', ' '.repeat(15_000), '\t']) {
    await expect(authenticate(`Bearer${blanks}${token}`)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  }
});

test('accepted tokens do not accumulate in memory, however long they are', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const usedMiB = () => {
    collectGarbage();
    return process.memoryUsage().heapUsed / 2 ** 20;
  };
  const before = usedMiB();
  const COUNT = 5_000;
  for (let count = 0; count < COUNT; count++) {
    await authenticate(`Bearer ${tokenOf(validClaims({ padding: 'x'.repeat(9_000) }))}`);
  }
  // The tokens themselves are 12 KB each.
  expect(usedMiB() - before).toBeLessThan((COUNT * 12_000) / 2 ** 20 / 10);
});
