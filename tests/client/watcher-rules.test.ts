import { watching } from './scripted-clients.js';
import { StudentWatcher } from '../../src/client/index.js';
import { refusal } from '../../src/client/testing/answers.js';
import type { FakeAnswer, FakeScript } from '../../src/client/testing/fake-network.js';
import { ScriptedService } from './scripted-service.js';

const answering = (script: FakeScript, random = 0.5) => watching(() => script, { random: () => random });

test.each([
  [401, 'UNAUTHENTICATED', 'unauthenticated', 2],
  [403, 'FORBIDDEN', 'forbidden', 1],
  [404, 'SESSION_NOT_FOUND', 'notFound', 1],
  [400, 'VALIDATION_FAILED', 'refused', 1],
] as const)('%d: it ends and says why', async (status, code, reason, requests) => {
  const { service, record, clock } = answering(() => refusal(status, code));
  await clock.advance(600_000);
  expect(record.ended).toMatchObject([{ reason, error: { status, code } }]);
  expect([service.calls.length, clock.alarms]).toEqual([requests, 0]);
});

test.each<[string, FakeAnswer | 'offline' | 'hanging']>([
  ['408', { status: 408, body: '' }],
  ['429', refusal(429, 'RATE_LIMITED')],
  ['503', refusal(503, 'STATE_UNAVAILABLE')],
  ["a captive portal's page", { status: 200, body: '<html>' }],
  ['a network error', 'offline'],
  ['the deadline', 'hanging'],
])('%s: it is reconnecting, still shows the position, and backs off', async (_name, failure) => {
  const { watcher, record, clock } = answering((_call, earlier) =>
    earlier > 0 && earlier < 4 ? failure : undefined,
  );
  await clock.advance(36_500);
  expect(record.states).toContain('reconnecting');
  await clock.advance(120_000);
  expect(watcher.state).toBe('live');
  expect(record.changes.every(({ position }) => position !== null)).toBe(true);
});

test('without an answer it retries until expiresAt, and then ends as timeout', async () => {
  const { record, clock, watcher } = answering((_call, earlier) => (earlier === 0 ? undefined : 'offline'));
  await clock.advance(3_900_000);
  expect(watcher.state).toBe('reconnecting');
  await clock.advance(200_000);
  expect(record.ended).toEqual([{ reason: 'timeout' }]);
  expect(clock.alarms).toBe(0);
});

test('before the start it retries without limit', async () => {
  const { watcher, clock } = answering(() => 'offline');
  await clock.advance(24 * 3_600_000);
  expect(watcher.state).toBe('reconnecting');
  watcher.close();
});

test.each([
  [
    'backOnline()',
    ({ api }: ReturnType<typeof answering>['service']) => {
      api.backOnline();
    },
  ],
  [
    'the foreground',
    (_service: unknown, watcher: ReturnType<typeof answering>['watcher']) => {
      watcher.setBackground(true);
      watcher.setBackground(false);
    },
  ],
] as const)('%s replaces a poll that hangs, and a pending retry, at once', async (_event, happens) => {
  const { service, watcher, clock } = answering((_call, earlier) => {
    if (earlier === 1) return 'hanging';
    return earlier > 2 && earlier < 9 ? 'offline' : undefined;
  });
  await clock.advance(3_000);
  happens(service, watcher);
  await clock.advance(0);
  expect(service.calls).toHaveLength(3);
  expect(service.calls[2]?.headers['Prefer']).toBeUndefined();
  while (service.calls.length < 9) await clock.advance(1_000);
  expect(watcher.state).toBe('reconnecting');
  happens(service, watcher);
  await clock.advance(0);
  expect([service.calls.length, watcher.state]).toEqual([10, 'live']);
});

test('after a failure the first request never waits, so the state recovers at once', async () => {
  const { service, watcher, clock } = answering((call, earlier) => {
    if (earlier === 1) return 'offline';
    if (earlier === 0) return undefined;
    const tookMs = call.headers['Prefer'] ? 25_000 : 40;
    return { status: 304, headers: { ETag: 'W/"1"', 'Preference-Applied': 'wait=25' }, tookMs };
  });
  await clock.advance(1_000);
  expect(watcher.state).toBe('reconnecting');
  await clock.advance(1_100);
  expect(watcher.state).toBe('live');
  await clock.advance(1_000);
  expect(service.calls.map(({ headers }) => headers['Prefer'])).toEqual([
    undefined,
    'wait=25',
    undefined,
    'wait=25',
  ]);
});

test('a proxy that cuts requests at 15 s gets shorter waits, and nobody sees "reconnecting"', async () => {
  const { service, record, clock } = answering((call, earlier) => {
    if (earlier === 0) return undefined;
    const wait = Number(/\d+/.exec(call.headers['Prefer'] ?? '0')?.[0]) * 1_000;
    const headers = { ETag: 'W/"1"', 'Preference-Applied': 'wait=25' };
    return wait > 15_000
      ? { status: 504, body: 'upstream request timeout', tookMs: 15_000 }
      : { status: 304, headers, tookMs: wait || 40 };
  });
  await clock.advance(120_000);
  expect(record.states).toEqual(['live', 'delayed', 'stale']);
  const cut = service.calls.filter(({ headers }) => headers['Prefer'] === 'wait=25');
  expect(cut).toHaveLength(1);
  expect(service.calls.at(-1)?.headers['Prefer']).toBe('wait=14');
});

test('of many watchers of one API object two wait, and the others poll', async () => {
  const service: ScriptedService = new ScriptedService((call, earlier) => {
    const isWaiting = call.headers['Prefer'] !== undefined;
    const headers = {
      ETag: 'W/"1"',
      'Next-Poll-Ms': '4000',
      ...(isWaiting && { 'Preference-Applied': 'wait=25' }),
    };
    return earlier < 5 ? undefined : { status: 304, headers, tookMs: isWaiting ? 25_000 : 40 };
  });
  const watchers = [1, 2, 3, 4, 5].map(() => new StudentWatcher(service));
  for (const watcher of watchers) watcher.start();
  await service.clock.advance(12_000);
  expect(service.inFlight).toBe(2);
  expect(service.calls.length).toBeGreaterThan(11);
  for (const watcher of watchers) watcher.close();
});

test('a watcher that was closed starts again', async () => {
  const { service, watcher, clock, record } = answering(() => undefined);
  watcher.close();
  watcher.start();
  await clock.advance(500);
  expect([watcher.state, service.inFlight]).toEqual(['live', 0]);
  expect(record.ended).toEqual([{ reason: 'closed' }]);
  watcher.close();
  expect(clock.alarms).toBe(0);
});
