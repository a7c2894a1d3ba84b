import { watching } from './scripted-clients.js';
import { refused, type ScriptedAnswer, type Script } from './scripted-service.js';

const answering = (script: Script, random = 0.5) => watching(() => script, { random: () => random });

test.each([
  [401, 'UNAUTHENTICATED', 'unauthenticated', 2],
  [403, 'FORBIDDEN', 'forbidden', 1],
  [404, 'SESSION_NOT_FOUND', 'notFound', 1],
  [400, 'VALIDATION_FAILED', 'refused', 1],
])('%d: it ends and says why', async (status, code, reason, requests) => {
  const { service, record, clock } = answering(() => refused(status, code));
  await clock.advance(600_000);
  expect(record.ended).toMatchObject([{ reason, error: { status, code } }]);
  expect([service.calls.length, clock.alarms]).toEqual([requests, 0]);
});

test.each<[string, ScriptedAnswer | 'away' | 'dark']>([
  ['408', { status: 408, body: '' }],
  ['429', refused(429, 'RATE_LIMITED')],
  ['503', refused(503, 'STATE_UNAVAILABLE')],
  ["a captive portal's page", { status: 200, body: '<html>' }],
  ['a network error', 'away'],
  ['the deadline', 'dark'],
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
  const { record, clock, watcher } = answering((_call, earlier) => (earlier === 0 ? undefined : 'away'));
  await clock.advance(3_900_000);
  expect(watcher.state).toBe('reconnecting');
  await clock.advance(200_000);
  expect(record.ended).toEqual([{ reason: 'timeout' }]);
  expect(clock.alarms).toBe(0);
});

test('before the start it retries without limit', async () => {
  const { watcher, clock } = answering(() => 'away');
  await clock.advance(24 * 3_600_000);
  expect(watcher.state).toBe('reconnecting');
  watcher.close();
});

test('back online: a poll that hangs is replaced within 3 s', async () => {
  const { service, clock } = answering((_call, earlier) => (earlier === 1 ? 'dark' : undefined), 0.9);
  await clock.advance(3_000);
  service.api.backOnline();
  await clock.advance(2_699);
  expect(service.calls).toHaveLength(2);
  await clock.advance(1);
  expect(service.calls).toHaveLength(3);
});
