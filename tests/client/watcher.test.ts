import { success } from '../../src/client/testing/answers.js';
import type { FakeScript } from '../../src/client/testing/fake-network.js';
import { watching } from './scripted-clients.js';
import { live, type ScriptedService } from './scripted-service.js';

const GRANTED = { 'Preference-Applied': 'wait=25' };
const INACTIVE = { isActive: false, location: null };
const gapsOf = ({ calls }: ScriptedService) =>
  calls.slice(1).map(({ atMs }, index) => atMs - (calls[index]?.atMs ?? 0));

/** Answers each poll with the next of these states, and then always with the last. */
const states =
  (...each: object[]) =>
  (service: ScriptedService): FakeScript =>
  (_call, earlier) =>
    success(200, live(service, each[Math.min(earlier, each.length - 1)] ?? {}), { ETag: 'W/"1"' });
/** One state, and then 304 with these headers. */
const notModified =
  (state: object, headers: (earlier: number) => Record<string, string>, tookMs = 0) =>
  (service: ScriptedService): FakeScript =>
  (call, earlier) =>
    earlier === 0
      ? states(state)(service)(call, earlier)
      : { status: 304, headers: { ETag: 'W/"1"', ...headers(earlier) }, tookMs };
/** A service that grants the wait and never has a change. */
const unchanging = notModified({}, () => ({ 'Next-Poll-Ms': '4000', ...GRANTED }), 25_000);

test('the first poll asks for the state, the next ones wait up to 25 s for a change of it', async () => {
  const { service, clock } = watching(unchanging);
  await clock.advance(60_000);
  const asked = service.calls.map(({ headers }) => [headers['Prefer'], headers['If-None-Match']]);
  const waits = ['wait=25', 'W/"1"'];
  expect(asked).toEqual([[undefined, undefined], waits, waits, waits]);
  expect(gapsOf(service)).toEqual([1_000, 25_000, 25_000]);
});

test.each([
  ['Next-Poll-Ms replaces nextPollMs', [7_000, 2_000, 2_000], [1_000, 7_000, 2_000, 2_000]],
  ['without Next-Poll-Ms nextPollMs still counts', [], [1_000, 3_000, 3_000]],
])('a wait that is not granted: %s', async (_rule, pauses, gaps) => {
  const { service, clock } = watching(
    notModified({ nextPollMs: 3_000 }, (earlier) => {
      const pauseMs = pauses[earlier - 1];
      return pauseMs === undefined ? {} : { 'Next-Poll-Ms': String(pauseMs) };
    }),
  );
  await clock.advance(gaps.reduce((sum, gap) => sum + gap, 500));
  expect(gapsOf(service)).toEqual(gaps);
});

test('a service that grants the wait and still answers at once is polled once a second', async () => {
  const { service, clock } = watching(
    (self) => () => success(200, live(self, {}), { ETag: 'W/"1"', ...GRANTED }),
  );
  await clock.advance(10_500);
  expect(service.calls).toHaveLength(11);
});

test('there are never two polls in flight, whatever the app calls', async () => {
  const { service, watcher, clock } = watching((self) => () => ({
    ...success(200, live(self, {}), { ETag: 'W/"1"', ...GRANTED }),
    tookMs: 8_000,
  }));
  for (let step = 0; step < 50; step++) {
    watcher.start();
    watcher.setBackground(step % 2 === 0);
    service.api.backOnline();
    await clock.advance(1_700);
  }
  expect(service.mostInFlight).toBe(1);
});

test('in the background it polls twice a minute without a wait; back in the foreground at once', async () => {
  const { service, watcher, clock } = watching(states({}));
  await clock.advance(2_000);
  watcher.setBackground(true);
  await clock.advance(10_000);
  const before = service.calls.length;
  await clock.advance(60_000);
  expect(service.calls.length - before).toBe(2);
  expect(service.calls.at(-1)?.headers['Prefer']).toBeUndefined();
  await clock.advance(11_000);
  watcher.setBackground(false);
  await clock.advance(0);
  expect(service.calls.length - before).toBe(3);
});

test('before the start it waits, and follows the journey when it begins', async () => {
  const before = { ...INACTIVE, startedAt: null, expiresAt: null };
  const { record, clock, watcher } = watching(states(before, before, before, {}));
  await clock.advance(30_000);
  expect(record.states).toEqual(['waiting', 'live']);
  expect(record.ended).toEqual([]);
  watcher.close();
});

test.each([
  ['arrived', [{}, { ...INACTIVE, endedReason: 'arrived', endedAt: '2026-11-22T10:20:00.000Z' }], 'arrived'],
  ['some time ago, after it had been active', [{}, INACTIVE], 'unknown'],
  ['before it was opened', [{ ...INACTIVE, endedReason: 'cancelled' }], 'cancelled'],
])('it ends with a journey that ended: %s', async (_name, polls, reason) => {
  const { service, record, clock, watcher } = watching(states(...polls));
  await clock.advance(600_000);
  expect(record.ended).toMatchObject([{ reason }]);
  expect([service.calls.length, clock.alarms, watcher.state]).toEqual([polls.length, 0, 'ended']);
});

test('a position ages by the monotonic clock while nothing changes: live, delayed, stale', async () => {
  const now = jest.spyOn(Date, 'now').mockReturnValue(Date.UTC(1999, 0, 1));
  const { watcher, record, clock } = watching(unchanging);
  await clock.advance(15_000);
  expect(watcher.state).toBe('live');
  await clock.advance(2);
  expect(watcher.state).toBe('delayed');
  await clock.advance(45_000);
  now.mockRestore();
  expect(record.states).toEqual(['live', 'delayed', 'stale']);
  expect(watcher.watched.ageMs).toBe(60_001);
});

test('a position is live for longer where the next update is due later', async () => {
  const { watcher, clock } = watching(
    notModified({ nextPollMs: 15_500 }, () => ({ 'Next-Poll-Ms': '4000', ...GRANTED }), 25_000),
  );
  await clock.advance(25_000);
  expect(watcher.state).toBe('live');
  await clock.advance(2);
  expect(watcher.state).toBe('delayed');
});

test.each([
  ['has expired', { location: null, ageMs: null, freshness: null }, 400_000, 'stale'],
  ['is of a journey that ended', { ...INACTIVE, endedReason: 'timeout' }, 60_000, 'ended'],
])('the last position is still shown when it %s', async (_when, state, ms, expected) => {
  const { watcher, clock } = watching(states({}, state));
  await clock.advance(ms);
  expect(watcher.watched.position).toMatchObject({ latitude: 12.9, longitude: 77.5 });
  expect(watcher.state).toBe(expected);
});

test('a position never goes back to an older one', async () => {
  const at = (second: string) => ({
    location: { latitude: 12, longitude: 77, timestamp: `2026-11-22T10:00:${second}.000Z` },
  });
  const { record, clock } = watching(states(at('10'), at('05'), at('20'), INACTIVE));
  await clock.advance(60_000);
  const shown = record.changes.map(({ position }) => position?.timestamp ?? '');
  expect(shown).toEqual([...shown].sort());
  expect(new Set(shown).size).toBe(2);
});

test('a new journey of the same session begins without the position of the one before', async () => {
  const next = {
    startedAt: '2027-01-01T10:00:00.000Z',
    expiresAt: '2027-01-01T11:00:00.000Z',
    location: null,
  };
  const { watcher, clock } = watching(states({}, next));
  await clock.advance(6_000);
  expect(watcher.watched.position).toBeNull();
  expect(watcher.state).toBe('waiting');
});

test('after close there is no request and no timer', async () => {
  const { service, watcher, record, clock } = watching(unchanging);
  await clock.advance(5_000);
  watcher.close();
  await clock.advance(100_000);
  expect([clock.alarms, service.calls.length]).toEqual([0, 2]);
  expect(record.ended).toEqual([{ reason: 'closed' }]);
});

const ETA = { etaSeconds: 120, etaLowSeconds: 60, etaHighSeconds: 180, uncertaintyMeters: 8 };

test('between two answers the arrival comes nearer, and the uncertainty grows with the speed', async () => {
  const location = { latitude: 12.9, longitude: 77.5, speed: 10, timestamp: '2026-11-22T10:00:00.000Z' };
  const { watcher, clock } = watching(
    notModified({ ...ETA, location }, () => ({ 'Next-Poll-Ms': '4000', ...GRANTED }), 25_000),
  );
  await clock.advance(0);
  expect(watcher.watched).toMatchObject(ETA);
  await clock.advance(26_000);
  const later = { etaSeconds: 94, etaLowSeconds: 34, etaHighSeconds: 154, uncertaintyMeters: 268 };
  expect(watcher.watched).toMatchObject(later);
  await clock.advance(35_000);
  const stale = { state: 'stale', etaSeconds: null, etaLowSeconds: null, etaHighSeconds: null };
  expect(watcher.watched).toMatchObject(stale);
  expect(watcher.watched.uncertaintyMeters).toBeGreaterThan(600);
});

test('what is watched is the same object until the next change', async () => {
  const { watcher, record, clock } = watching(unchanging);
  await clock.advance(7_000);
  expect(watcher.watched).toBe(watcher.watched);
  expect(watcher.watched).toBe(record.changes.at(-1));
});

test('a 200 that an HTTP cache repeats for a 304 does not make a silent trainer live', async () => {
  let first: object | undefined;
  const { watcher, clock } = watching(
    (self) => () => success(200, (first ??= live(self, {})), { ETag: 'W/"1"' }),
  );
  await clock.advance(61_000);
  expect(watcher.state).toBe('stale');
});

test('the age in a 304 counts, because the clock of a phone may stand still while it sleeps', async () => {
  const { watcher, clock } = watching(
    notModified({}, () => ({ 'Location-Age-Ms': '50000', 'Next-Poll-Ms': '4000' })),
  );
  await clock.advance(500);
  expect(watcher.state).toBe('live');
  await clock.advance(1_000);
  expect([watcher.state, watcher.watched.ageMs]).toEqual(['delayed', 50_000]);
});
