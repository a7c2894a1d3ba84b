import { aSession, type ASession } from '../support/a-session.js';
import { refusal } from '../support/api.js';
import { oddToken, secondsFromNow } from '../support/odd-tokens.js';
import { runService, type RunningService } from '../support/running-service.js';

const OLD = 'the secret that is to be replaced, of 32 bytes at least';
const NEW = 'the secret that it is replaced by, of 32 bytes at least';
let session: ASession;
let amid: RunningService;
let after: RunningService;
beforeAll(async () => {
  session = await aSession();
  amid = await runService({ settings: { AUTH_JWT_SECRET: OLD, AUTH_JWT_SECRET_NEXT: NEW } });
  after = await runService({ settings: { AUTH_JWT_SECRET: NEW } });
});
afterAll(async () => {
  await amid.stop();
  await after.stop();
});

function poll(service: RunningService, secret: string) {
  const claims = { sub: session.studentId, role: 'student', exp: secondsFromNow(600) };
  return service.api.live(session.sessionId, oddToken({ claims, secret }));
}

test.each([
  ['old', OLD],
  ['new', NEW],
])('while a secret is replaced, a token by the %s one is taken', async (_which, secret) => {
  expect((await poll(amid, secret)).status).toBe(200);
});

test('while a secret is replaced, a token by any other is refused', async () => {
  const answer = await poll(amid, 'a secret that is neither of the two, long enough');
  expect(refusal(answer)).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
});

test('once it is replaced, a token by the old secret is refused', async () => {
  expect((await poll(after, NEW)).status).toBe(200);
  expect(refusal(await poll(after, OLD))).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
});
