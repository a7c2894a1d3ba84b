import { JourneyApi, JourneyApiError } from '../../src/client/index.js';
import { refusal } from '../../src/client/testing/answers.js';
import type { FakeScript } from '../../src/client/testing/fake-network.js';
import { ScriptedService } from './scripted-service.js';

async function errorOf(call: Promise<unknown>): Promise<JourneyApiError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof JourneyApiError)) throw new Error(`not a JourneyApiError: ${String(error)}`);
  return error;
}

const always = (script: FakeScript) => new ScriptedService(script);

test('a refusal is a JourneyApiError with status, code, details and the request id', async () => {
  const service = always(() => refusal(400, 'NOT_AT_DESTINATION', { details: { distance: 800 } }));
  const error = await errorOf(service.api.arrived(service.sessionId));
  expect(error).toMatchObject({ status: 400, code: 'NOT_AT_DESTINATION', requestId: 'fake-request' });
  expect(error.details).toEqual({ distance: 800 });
});

test.each<[string, number, (service: ScriptedService) => Promise<unknown>]>([
  [
    'a call has a deadline of 10 s, even if fetch ignores its signal',
    10_000,
    ({ api, sessionId }) => api.start(sessionId),
  ],
  [
    'a long poll has its wait and 10 s',
    35_000,
    ({ api, sessionId }) => api.live(sessionId, { etag: 'W/"1"', waitSeconds: 25 }),
  ],
])('%s', async (_rule, ms, call) => {
  const service = always(() => 'hanging');
  const failure = errorOf(call(service));
  await service.clock.advance(ms - 1);
  expect(service.clock.alarms).toBe(1);
  await service.clock.advance(1);
  expect(await failure).toMatchObject({ status: 0, code: 'DEADLINE_EXCEEDED' });
  expect(service.clock.alarms).toBe(0);
});

test("the caller's signal ends a call; one that is already aborted makes no request", async () => {
  const service = always(() => 'hanging');
  const controller = new AbortController();
  const failure = errorOf(service.api.stop(service.sessionId, { signal: controller.signal }));
  await service.clock.advance(100);
  controller.abort();
  expect((await failure).code).toBe('ABORTED');
  const again = await errorOf(service.api.stop(service.sessionId, { signal: controller.signal }));
  expect([again.code, service.calls.length, service.clock.alarms]).toEqual(['ABORTED', 1, 0]);
});

test.each(['start', 'arrived', 'stop'] as const)(
  '%s has an Idempotency-Key of its own, or the given one',
  async (call) => {
    const service = new ScriptedService(undefined, { random: Math.random });
    await service.api[call](service.sessionId);
    await service.api[call](service.sessionId);
    await service.api[call](service.sessionId, { idempotencyKey: 'mine' });
    const keys = service.calls.map(({ headers }) => headers['Idempotency-Key']);
    expect(new Set(keys).size).toBe(3);
    expect(keys[0]).toMatch(/^[\x21-\x7e]{20,128}$/);
    expect(keys[2]).toBe('mine');
  },
);

test('the repeat after a refresh of the token has the same Idempotency-Key', async () => {
  const service = always((_call, earlier) => (earlier === 0 ? refusal(401, 'UNAUTHENTICATED') : undefined));
  await service.api.start(service.sessionId);
  const [first, second] = service.calls;
  expect(second?.headers['Idempotency-Key']).toBe(first?.headers['Idempotency-Key']);
  expect([first, second].map((call) => call?.headers['Authorization'])).toEqual([
    'Bearer token-0',
    'Bearer token-1',
  ]);
});

test('a failed refresh is TOKEN_UNAVAILABLE, and the next call refreshes again', async () => {
  let refreshes = 0;
  const service = new ScriptedService(
    (call) => (call.headers['Authorization'] === 'Bearer new' ? undefined : refusal(401, 'UNAUTHENTICATED')),
    {
      getToken: (forceRefresh) => {
        if (!forceRefresh) return 'old';
        refreshes += 1;
        if (refreshes === 1) throw new Error('offline');
        return Promise.resolve('new');
      },
    },
  );
  expect((await errorOf(service.api.start(service.sessionId))).code).toBe('TOKEN_UNAVAILABLE');
  await service.api.start(service.sessionId);
  expect(refreshes).toBe(2);
});

test('without a token no request is made', async () => {
  const service = new ScriptedService(undefined, { getToken: () => '' });
  expect((await errorOf(service.api.start(service.sessionId))).code).toBe('TOKEN_UNAVAILABLE');
  expect(service.calls).toEqual([]);
});

test("a captive portal's page is an INVALID_ANSWER, whatever its status", async () => {
  for (const status of [200, 302, 403, 404]) {
    const service = always(() => ({ status, body: '<html>log in</html>' }));
    expect(await errorOf(service.api.start(service.sessionId))).toMatchObject({
      status,
      code: 'INVALID_ANSWER',
    });
  }
});

const place = { latitude: 12.9, longitude: 77.5 };
const sessionId = '3f2b8c1e-9d4a-4f6b-8a57-0c1d2e3f4a5b';
test.each([
  ['latitude', { sessionId, ...place, latitude: NaN }],
  ['latitude', { sessionId, ...place, latitude: 90.1 }],
  ['longitude', { sessionId, ...place, longitude: -181 }],
  ['longitude', { sessionId, latitude: 1 }],
  ['longitude', { sessionId, ...place, longitude: '77' }],
  ['sessionId', { ...place, sessionId: 'session-1' }],
])('an update with an invalid %s is refused with its path and not sent: %j', async (path, update) => {
  const service = always(() => undefined);
  const error = await errorOf(service.api.update(update as Parameters<JourneyApi['update']>[0]));
  expect(error).toMatchObject({ status: 0, code: 'VALIDATION_FAILED' });
  expect((error.details as { path: string }[]).map((problem) => problem.path)).toEqual([path]);
  expect(error.message).toContain(`${path} must be`);
  expect(service.calls).toEqual([]);
});

test('the injected fetch is called without a receiver, as browsers require', async () => {
  let self: unknown = 'not called';
  const service = new ScriptedService();
  const api = new JourneyApi({
    baseUrl: 'https://api.example.com',
    getToken: () => 'token',
    fetch: function (this: unknown) {
      // eslint-disable-next-line @typescript-eslint/no-this-alias
      self = this;
      return Promise.resolve(new Response('{"success":true,"data":{}}'));
    },
  });
  await api.stop(service.sessionId);
  expect(self).toBeUndefined();
});
