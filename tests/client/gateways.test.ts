import { refusal } from '../../src/client/testing/answers.js';
import type { FakeAnswer } from '../../src/client/testing/fake-network.js';
import { aTracker, tracking, watching } from './scripted-clients.js';
import { fix } from './scripted-service.js';

const PAGE = '<html><body>Request blocked</body></html>';
const STATUSES = [400, 401, 402, 403, 404, 405, 407, 409, 410, 413, 418, 421, 425, 431, 451, 502];
const pages: FakeAnswer[] = [
  ...STATUSES.map((status) => ({ status, body: PAGE })),
  ...[200, 302].map((status) => ({ status, body: PAGE })),
  { status: 200, body: { data: {} } },
  { status: 200, body: { success: true } },
  { status: 403, body: { message: 'Forbidden' } },
  { status: 404, body: { error: { code: 404, message: 'no route' } } },
  { status: 410, body: { error: { code: 'GONE', message: 'no backend' } } },
];

test.each(pages)("a gateway's answer ends no watcher: %j", async (page) => {
  const { watcher, record, clock } = watching(
    () => (_call, earlier) => (earlier > 0 && earlier < 4 ? page : undefined),
  );
  await clock.advance(60_000);
  expect(record.states).toContain('reconnecting');
  expect([record.ended, watcher.state]).toEqual([[], 'live']);
  watcher.close();
});

test.each(pages)("a gateway's answer loses no position and ends no tracker: %j", async (page) => {
  const { tracker, record, clock } = await tracking((_call, earlier) => (earlier < 4 ? page : undefined));
  const outcome = tracker.push(fix());
  await clock.advance(60_000);
  expect([await outcome, record.ended, record.dropped, tracker.state]).toEqual(['sent', [], [], 'tracking']);
});

test.each(['start', 'arrived', 'stop'] as const)("%s is repeated after a gateway's answers", async (call) => {
  const { service, tracker, clock } = aTracker(({ kind }, earlier) =>
    kind === call ? pages[earlier] : undefined,
  );
  void tracker.start();
  await clock.advance(call === 'start' ? 3_600_000 : 0);
  if (call !== 'start') {
    const answer = tracker[call]();
    await clock.advance(3_500_000);
    await answer;
  }
  expect(service.callsOf(call).length).toBeGreaterThan(pages.length);
});

test('Retry-After of an hour is honoured for a minute', async () => {
  const anHour = refusal(503, 'STATE_UNAVAILABLE', { headers: { 'Retry-After': '3600' } });
  const { service, tracker, clock } = await tracking(
    (_call, earlier) => (earlier === 0 ? anHour : undefined),
    {
      random: () => 0,
    },
  );
  void tracker.push(fix());
  await clock.advance(59_000);
  expect(service.callsOf('update')).toHaveLength(1);
  await clock.advance(1_000);
  expect(service.callsOf('update')).toHaveLength(2);
});

test('nextUpdateMs and Next-Poll-Ms are bounded by a minute', async () => {
  const far = { success: true, data: { timestamp: '2026-11-22T10:00:00.000Z', nextUpdateMs: 1e9 } };
  const { service, tracker, clock } = await tracking(() => ({ status: 201, body: far }));
  void tracker.push(fix());
  await clock.advance(1_000);
  void tracker.push(fix());
  await clock.advance(59_000);
  expect(service.callsOf('update')).toHaveLength(2);
  const polled = watching(
    () => (_call, earlier) =>
      earlier === 0 ? undefined : { status: 304, headers: { 'Next-Poll-Ms': '1e9' } },
  );
  await polled.clock.advance(1_000);
  await polled.clock.advance(60_000);
  expect(polled.service.calls).toHaveLength(3);
  polled.watcher.close();
});
