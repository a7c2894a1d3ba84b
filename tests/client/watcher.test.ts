import { StudentWatcher } from '../../src/client/index.js';
import { recordWatcher } from './recorded-events.js';
import { done, live, ScriptedService, type Script } from './scripted-service.js';

function watching(script?: (service: ScriptedService) => Script) {
  const service: ScriptedService = new ScriptedService((call, earlier) => script?.(service)(call, earlier));
  const watcher = new StudentWatcher(service);
  const record = recordWatcher(watcher);
  watcher.start();
  return { service, watcher, record, clock: service.clock };
}

const GRANTED = { 'Preference-Applied': 'wait=25' };
const gapsOf = ({ calls }: ScriptedService) =>
  calls.slice(1).map(({ atMs }, index) => atMs - (calls[index]?.atMs ?? 0));
/** A service that lets one wait, and has news only at the first poll. */
const unchanging =
  (service: ScriptedService): Script =>
  (_call, earlier) =>
    earlier === 0
      ? done(200, live(service, {}), { ETag: 'W/"1"' })
      : { status: 304, headers: { ETag: 'W/"1"', 'Next-Poll-Ms': '4000', ...GRANTED }, tookMs: 25_000 };

test('the first poll asks for the state, and the next for a change, which the service may take 25 s for', async () => {
  const { service, clock } = watching(unchanging);
  await clock.advance(60_000);
  const [first, second, third] = service.calls.map(({ headers }) => headers);
  expect([first?.['Prefer'], first?.['If-None-Match']]).toEqual([undefined, undefined]);
  expect([second?.['Prefer'], second?.['If-None-Match']]).toEqual(['wait=25', 'W/"1"']);
  expect(third?.['Prefer']).toBe('wait=25');
  expect(gapsOf(service)).toEqual([1_000, 25_000, 25_000]);
});

test('a wait that is not granted: it polls at nextPollMs, and a 304 replaces that by its header', async () => {
  const { service, clock } = watching((self) => (_call, earlier) => {
    if (earlier === 0) return done(200, live(self, { nextPollMs: 3_000 }), { ETag: 'W/"1"' });
    return { status: 304, headers: { ETag: 'W/"1"', 'Next-Poll-Ms': earlier === 1 ? '7000' : '2000' } };
  });
  await clock.advance(12_500);
  expect(gapsOf(service)).toEqual([1_000, 7_000, 2_000, 2_000]);
});

test('a 304 without the header leaves nextPollMs as it was', async () => {
  const { service, clock } = watching(
    (self) => (_call, earlier) =>
      earlier === 0
        ? done(200, live(self, { nextPollMs: 3_000 }), { ETag: 'W/"1"' })
        : { status: 304, headers: { ETag: 'W/"1"' } },
  );
  await clock.advance(8_000);
  expect(gapsOf(service)).toEqual([1_000, 3_000, 3_000]);
});

test('a service that grants the wait and answers at once all the same is asked once a second, not without a pause', async () => {
  const { service, clock } = watching(
    (self) => () => done(200, live(self, {}), { ETag: 'W/"1"', ...GRANTED }),
  );
  await clock.advance(10_500);
  expect(service.calls).toHaveLength(11);
});

test('there are never two polls at once, whatever the app calls', async () => {
  const { service, watcher, clock } = watching((self) => () => ({
    ...done(200, live(self, {}), { ETag: 'W/"1"', ...GRANTED }),
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

test('in the background it polls twice a minute and does not wait; back in the foreground, at once', async () => {
  const { service, watcher, clock } = watching((self) => () => done(200, live(self, {}), { ETag: 'W/"1"' }));
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
  const { record, clock, watcher } = watching(
    (self) => (_call, earlier) =>
      earlier < 3
        ? done(200, live(self, { isActive: false, location: null, startedAt: null, expiresAt: null }), {
            ETag: 'W/"none"',
          })
        : done(200, live(self, {}), { ETag: 'W/"1"' }),
  );
  await clock.advance(30_000);
  expect(record.states).toEqual(['waiting', 'live']);
  expect(record.ended).toEqual([]);
  watcher.close();
});

test.each([
  ['arrived', { endedReason: 'arrived', endedAt: '2026-11-22T10:20:00.000Z' }, 'arrived'],
  ['some time ago, after it had been active', {}, 'unknown'],
])('it ends with a journey that ended: %s', async (_name, end, reason) => {
  const { service, record, clock, watcher } = watching(
    (self) => (_call, earlier) =>
      earlier === 0
        ? undefined
        : done(200, live(self, { isActive: false, location: null, ...end }), { ETag: 'W/"2"' }),
  );
  await clock.advance(600_000);
  expect(record.ended).toMatchObject([{ reason }]);
  expect([service.calls.length, clock.alarms, watcher.state]).toEqual([2, 0, 'ended']);
});

test('a journey that had ended when it was opened is told at once', async () => {
  const { record, clock } = watching(
    (self) => () =>
      done(200, live(self, { isActive: false, location: null, endedReason: 'cancelled' }), { ETag: 'W/"2"' }),
  );
  await clock.advance(0);
  expect(record.ended).toMatchObject([{ reason: 'cancelled' }]);
});

test('the last position stays, also after the end, for the app to grey it out', async () => {
  const { watcher, clock } = watching(
    (self) => (_call, earlier) =>
      earlier === 0
        ? undefined
        : done(200, live(self, { isActive: false, location: null, endedReason: 'timeout' })),
  );
  await clock.advance(60_000);
  expect(watcher.watched.position).toMatchObject({ latitude: 12.9, longitude: 77.5 });
});

test('a position grows old by the monotonic clock while nothing changes: live, delayed, stale', async () => {
  const now = jest.spyOn(Date, 'now').mockReturnValue(Date.UTC(1999, 0, 1));
  const { watcher, record, clock } = watching(unchanging);
  await clock.advance(15_000);
  expect(watcher.state).toBe('live');
  await clock.advance(2);
  expect(watcher.state).toBe('delayed');
  await clock.advance(45_000);
  now.mockRestore();
  expect(record.states).toEqual(['live', 'delayed', 'stale']);
  expect(watcher.watched.ageMs).toBe(60_002);
});

test('a trainer who was asked for updates every 15 s is live for as much longer, as the service has it', async () => {
  const { watcher, clock } = watching(
    (self) => (call, earlier) =>
      earlier === 0
        ? done(200, live(self, { nextPollMs: 15_500 }), { ETag: 'W/"1"' })
        : unchanging(self)(call, earlier),
  );
  await clock.advance(25_000);
  expect(watcher.state).toBe('live');
  await clock.advance(2);
  expect(watcher.state).toBe('delayed');
});

test('an expired position is still the last one known, and stale', async () => {
  const { watcher, clock } = watching(
    (self) => (_call, earlier) =>
      earlier === 0 ? undefined : done(200, live(self, { location: null, ageMs: null, freshness: null })),
  );
  await clock.advance(400_000);
  expect(watcher.watched.position).not.toBeNull();
  expect(watcher.state).toBe('stale');
});

test('a position never goes back to an older one', async () => {
  const seconds = [10, 5, 20];
  const { record, clock } = watching((self) => (_call, earlier) => {
    const timestamp = `2026-11-22T10:00:${String(seconds[earlier % 3]).padStart(2, '0')}.000Z`;
    return earlier > 2
      ? done(200, live(self, { isActive: false, location: null }))
      : done(200, live(self, { location: { latitude: 12, longitude: 77, timestamp } }));
  });
  await clock.advance(60_000);
  const shown = record.changes.map(({ position }) => position?.timestamp ?? '');
  expect(shown).toEqual([...shown].sort());
  expect(new Set(shown).size).toBe(2);
});

test('another journey of the same session begins without the position of the one before', async () => {
  const { watcher, clock } = watching(
    (self) => (_call, earlier) =>
      earlier === 0
        ? undefined
        : done(
            200,
            live(self, {
              startedAt: '2027-01-01T10:00:00.000Z',
              expiresAt: '2027-01-01T11:00:00.000Z',
              location: null,
            }),
          ),
  );
  await clock.advance(6_000);
  expect(watcher.watched.position).toBeNull();
  expect(watcher.state).toBe('waiting');
});

test('close leaves nothing behind', async () => {
  const { service, watcher, record, clock } = watching(unchanging);
  await clock.advance(5_000);
  watcher.close();
  watcher.start();
  await clock.advance(100_000);
  expect([clock.alarms, service.calls.length]).toEqual([0, 2]);
  expect(record.ended).toEqual([{ reason: 'closed' }]);
});
