import { TrainerTracker, type PhonePosition } from '../../src/client/index.js';
import { recordTracker } from './recorded-events.js';
import { done, fix, refused, ScriptedService, type Script } from './scripted-service.js';

async function tracking(script?: Script) {
  const service = new ScriptedService(script);
  const tracker = new TrainerTracker(service);
  const record = recordTracker(tracker);
  await tracker.start();
  return { service, tracker, record, clock: service.clock };
}

/** A push each so many milliseconds. */
async function drive({ clock, tracker }: Awaited<ReturnType<typeof tracking>>, ms: number, everyMs = 100) {
  for (let atMs = 0; atMs < ms; atMs += everyMs) {
    tracker.push(fix(atMs / 1_000));
    await clock.advance(everyMs);
  }
}

function gapsOf(service: ScriptedService): number[] {
  const times = service.callsOf('update').map(({ atMs }) => atMs);
  return times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
}

test('positions pushed ten times a second go out every 5 s, as the service asks', async () => {
  const driven = await tracking();
  await drive(driven, 29_000);
  expect(gapsOf(driven.service)).toEqual([5_000, 5_000, 5_000, 5_000]);
});

test('the cadence follows nextUpdateMs from answer to answer', async () => {
  const asked = [7_000, 15_000, 5_000];
  const driven = await tracking((call, earlier) =>
    call.kind === 'update'
      ? done(201, { timestamp: '2026-11-22T10:00:00.000Z', nextUpdateMs: asked[earlier] ?? 5_000 })
      : undefined,
  );
  await drive(driven, 35_000);
  expect(gapsOf(driven.service)).toEqual([7_000, 15_000, 5_000]);
});

test('of the positions that wait the newest alone is sent', async () => {
  const { service, tracker, clock } = await tracking();
  for (const metres of [10, 20, 30]) tracker.push(fix(metres));
  await clock.advance(20_000);
  expect(service.callsOf('update').map(({ body }) => body['latitude'])).toEqual([fix(30).coords.latitude]);
});

test('one request is on its way at a time, however slow the network', async () => {
  const driven = await tracking((call) =>
    call.kind === 'update'
      ? { ...done(201, { timestamp: '2026-11-22T10:00:00.000Z', nextUpdateMs: 1_000 }), tookMs: 8_000 }
      : undefined,
  );
  await drive(driven, 40_000, 500);
  expect(driven.service.mostInFlight).toBe(1);
  expect(driven.service.callsOf('update')).toHaveLength(4);
});

test('each position has a sequence above the last, and its age when it is sent', async () => {
  const { service, tracker, clock } = await tracking();
  tracker.push(fix());
  await clock.advance(5_000);
  tracker.push(fix());
  await clock.advance(1_200);
  tracker.push(fix());
  await clock.advance(10_000);
  expect(service.callsOf('update').map(({ body }) => [body['sequence'], body['ageMs']])).toEqual([
    [1, 5_000],
    [2, 3_800],
  ]);
});

test('a jump of the wall clock, forth or back, changes nothing', async () => {
  const driven = await tracking();
  const now = jest.spyOn(Date, 'now');
  now.mockReturnValue(Date.UTC(2031, 0, 1));
  await drive(driven, 12_000);
  now.mockReturnValue(Date.UTC(1999, 0, 1));
  await drive(driven, 10_000);
  now.mockRestore();
  expect(gapsOf(driven.service)).toEqual([5_000, 5_000, 5_000]);
  const ages = driven.service.callsOf('update').map(({ body }) => Number(body['ageMs']));
  expect(ages.filter((ageMs) => ageMs < 0 || ageMs > 100)).toEqual([]);
  expect(driven.tracker.state).toBe('tracking');
});

test('a position sent again keeps its sequence, so that the service knows it', async () => {
  const { service, tracker, clock } = await tracking((call, earlier) =>
    call.kind === 'update' && earlier === 0 ? 'away' : undefined,
  );
  tracker.push(fix());
  await clock.advance(6_000);
  expect(service.callsOf('update').map(({ body }) => body['sequence'])).toEqual([1, 1]);
});

test('in the background, where timers stand still, a push alone is enough to send', async () => {
  const { service, tracker, clock } = await tracking();
  const after = jest.spyOn(clock, 'after').mockImplementation(() => () => undefined);
  await clock.advance(6_000);
  tracker.push(fix());
  await clock.advance(0);
  after.mockRestore();
  expect(service.callsOf('update')).toHaveLength(1);
});

test('a position pushed before the start goes out after it', async () => {
  const service = new ScriptedService();
  const tracker = new TrainerTracker(service);
  tracker.push(fix());
  await service.clock.advance(60_000);
  expect(service.calls).toEqual([]);
  await tracker.start();
  await service.clock.advance(5_000);
  expect(service.callsOf('update')).toHaveLength(1);
});

const place = { latitude: 12.9, longitude: 77.5 };
test.each<[string, PhonePosition, Record<string, unknown>]>([
  [
    'expo-location on iOS, standing: −1 is unknown',
    { coords: { ...place, accuracy: 5, speed: -1, heading: -1 }, mocked: false },
    { accuracy: 5 },
  ],
  ['Android: null is unknown', { coords: { ...place, accuracy: null, speed: null, heading: null } }, {}],
  [
    "the browser's Geolocation: NaN is unknown",
    { coords: { ...place, accuracy: 30, heading: NaN } },
    { accuracy: 30 },
  ],
  [
    'all that a phone knows',
    { coords: { ...place, accuracy: 4, speed: 8.2, heading: 359.9 }, mocked: true },
    { accuracy: 4, speed: 8.2, heading: 359.9, mocked: true },
  ],
])('takes a position of %s', async (_phone, position, expected) => {
  const { service, tracker, clock } = await tracking();
  tracker.push(position);
  await clock.advance(5_000);
  const [{ body } = { body: {} }] = service.callsOf('update');
  expect(body).toEqual({ sessionId: service.sessionId, ...place, ...expected, sequence: 1, ageMs: 5_000 });
});

test.each<[string, unknown]>([
  ['coords.latitude', { coords: { ...place, latitude: NaN } }],
  ['coords.longitude', { coords: { ...place, longitude: 200 } }],
  ['coords.longitude', { coords: { latitude: 1 } }],
  ['coords.latitude', undefined],
  ['coords.latitude', { latitude: 1, longitude: 2 }],
])('a position whose %s is bad is told to the app and never sent: %j', async (path, position) => {
  const { service, tracker, clock, record } = await tracking();
  tracker.push(position as PhonePosition);
  await clock.advance(60_000);
  expect(service.callsOf('update')).toEqual([]);
  expect(record.dropped[0]?.error).toMatchObject({ status: 0, code: 'VALIDATION_FAILED' });
  expect(record.dropped[0]?.error.message).toContain(path);
});

test('a bad position does not take the place of the good one that waits', async () => {
  const { service, tracker, clock } = await tracking();
  tracker.push(fix(10));
  tracker.push({ coords: { latitude: NaN, longitude: NaN } });
  await clock.advance(5_000);
  expect(service.callsOf('update')).toHaveLength(1);
});

test("a listener's mistake is thrown for the app to see and does not end the tracking", async () => {
  const driven = await tracking();
  driven.tracker.on('sent', ({ sequence }) => {
    if (sequence === 1) throw new Error("the app's own");
  });
  driven.tracker.push(fix());
  await expect(driven.clock.advance(5_000)).rejects.toThrow("the app's own");
  await drive(driven, 10_000);
  expect(driven.service.callsOf('update')).toHaveLength(3);
});

test('an unsubscribed listener hears nothing more', async () => {
  const { tracker, clock } = await tracking();
  const heard: unknown[] = [];
  const unsubscribe = tracker.on('sent', (event) => heard.push(event));
  tracker.push(fix());
  await clock.advance(5_000);
  unsubscribe();
  tracker.push(fix());
  await clock.advance(5_000);
  expect(heard).toHaveLength(1);
});

test('a tracker that joins a running journey learns the last sequence and goes on above it', async () => {
  const service = new ScriptedService((call) => {
    if (call.kind === 'start') {
      const details = { startedAt: '2026-11-22T10:00:00.000Z', expiresAt: '2026-11-22T11:00:00.000Z' };
      return refused(409, 'JOURNEY_ALREADY_ACTIVE', { details });
    }
    const isLower = Number(call.body['sequence']) <= 41;
    return isLower ? refused(409, 'LOCATION_STALE', { details: { lastSequence: 41 } }) : undefined;
  });
  const tracker = new TrainerTracker(service);
  const record = recordTracker(tracker);
  expect(await tracker.start()).toMatchObject({ wasRunning: true });
  tracker.push(fix());
  await service.clock.advance(0);
  tracker.push(fix());
  await service.clock.advance(0);
  expect(service.callsOf('update').map(({ body }) => body['sequence'])).toEqual([0, 42]);
  expect(record.sent.map(({ sequence }) => sequence)).toEqual([42]);
});
