import { StudentWatcher } from '../../src/client/index.js';
import { recordWatcher } from './recorded-events.js';
import { refused, ScriptedService, type ScriptedAnswer, type Script } from './scripted-service.js';

function watching(script: Script, random: () => number = () => 0.5) {
  const service = new ScriptedService(script, { random });
  const watcher = new StudentWatcher(service);
  const record = recordWatcher(watcher);
  const retries: number[] = [];
  watcher.on('retrying', ({ inMs }) => retries.push(inMs));
  watcher.start();
  return { service, watcher, record, retries, clock: service.clock };
}

test.each([
  [401, 'UNAUTHENTICATED', 'unauthenticated', 2],
  [403, 'FORBIDDEN', 'forbidden', 1],
  [404, 'SESSION_NOT_FOUND', 'notFound', 1],
  [400, 'VALIDATION_FAILED', 'refused', 1],
])('%d: it ends and says why', async (status, code, reason, requests) => {
  const { service, record, clock } = watching(() => refused(status, code));
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
])('%s: it says reconnecting, keeps the position, and polls again by backoff', async (_name, failure) => {
  const { watcher, record, clock } = watching((_call, earlier) =>
    earlier > 0 && earlier < 4 ? failure : undefined,
  );
  await clock.advance(36_500);
  expect(watcher.watched.position).not.toBeNull();
  expect(record.states).toContain('reconnecting');
  await clock.advance(120_000);
  expect(watcher.state).toBe('live');
  expect(record.changes.every(({ position }) => position !== null)).toBe(true);
});

test('Retry-After is a floor for polls too', async () => {
  const { retries, clock } = watching(() =>
    refused(503, 'STATE_UNAVAILABLE', { headers: { 'Retry-After': '10' } }),
  );
  await clock.advance(1_000);
  expect(retries).toEqual([11_250]);
});

test('without an answer it tries on until expiresAt, and then says timeout', async () => {
  const { record, clock, watcher } = watching((_call, earlier) => (earlier === 0 ? undefined : 'away'));
  await clock.advance(3_900_000);
  expect(watcher.state).toBe('reconnecting');
  await clock.advance(200_000);
  expect(record.ended).toEqual([{ reason: 'timeout' }]);
  expect(clock.alarms).toBe(0);
});

test('before the start it tries without limit', async () => {
  const { watcher, clock } = watching(() => 'away');
  await clock.advance(24 * 3_600_000);
  expect(watcher.state).toBe('reconnecting');
  watcher.close();
});

test('back online: a poll that hangs on the network before is replaced within 3 s', async () => {
  const { service, clock } = watching(
    (_call, earlier) => (earlier === 1 ? 'dark' : undefined),
    () => 0.9,
  );
  await clock.advance(3_000);
  expect(service.calls).toHaveLength(2);
  service.api.backOnline();
  await clock.advance(2_699);
  expect(service.calls).toHaveLength(2);
  await clock.advance(1);
  expect(service.calls).toHaveLength(3);
});
