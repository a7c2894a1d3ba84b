import type { PhonePosition } from '../../src/client/index.js';
import { refusal, success } from '../../src/client/testing/answers.js';
import { aTracker, tracking } from './scripted-clients.js';
import { fix, timedFix, type ScriptedService } from './scripted-service.js';

async function drive({ clock, tracker }: ReturnType<typeof aTracker>, ms: number, everyMs = 100) {
  for (let atMs = 0; atMs < ms; atMs += everyMs) {
    void tracker.push(timedFix(atMs / 1_000, clock.wallMs()));
    await clock.advance(everyMs);
  }
}

const bodiesOf = (service: ScriptedService) => service.callsOf('update').map(({ body }) => body);
const recorded = (nextUpdateMs: number) =>
  success(201, { timestamp: '2026-11-22T10:00:00.000Z', nextUpdateMs });

function gapsOf(service: ScriptedService): number[] {
  const times = service.callsOf('update').map(({ atMs }) => atMs);
  return times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
}

test('positions pushed ten times a second are sent every 5 s, also when the wall clock jumps', async () => {
  const driven = await tracking();
  driven.clock.setWall(Date.UTC(2031, 0, 1));
  await drive(driven, 12_000);
  driven.clock.setWall(Date.UTC(1999, 0, 1));
  await drive(driven, 10_000);
  expect(gapsOf(driven.service)).toEqual([5_000, 5_000, 5_000, 5_000]);
  const ages = bodiesOf(driven.service).map(({ ageMs }) => Number(ageMs));
  expect(ages.filter((ageMs) => ageMs < 0 || ageMs > 100)).toEqual([]);
  expect(driven.tracker.state).toBe('tracking');
});

test('the cadence follows nextUpdateMs from answer to answer', async () => {
  const asked = [7_000, 15_000, 5_000];
  const driven = await tracking((_call, earlier) => recorded(asked[earlier] ?? 5_000));
  await drive(driven, 30_000);
  expect(gapsOf(driven.service)).toEqual(asked);
});

test('only the newest of the waiting positions is sent', async () => {
  const { service, tracker, clock } = await tracking();
  for (const metres of [10, 20, 30]) void tracker.push(fix(metres));
  await clock.advance(20_000);
  expect(bodiesOf(service).map(({ latitude }) => latitude)).toEqual([fix(30).coords.latitude]);
});

test('one request is in flight at a time, however slow the network', async () => {
  const driven = await tracking(() => ({ ...recorded(1_000), tookMs: 8_000 }));
  await drive(driven, 40_000, 500);
  expect(driven.service.mostInFlight).toBe(1);
  expect(driven.service.callsOf('update')).toHaveLength(5);
});

test('each position has a sequence above the last, and its age when it is sent', async () => {
  const { service, tracker, clock } = await tracking();
  for (const laterMs of [5_000, 1_200, 10_000]) {
    void tracker.push(fix());
    await clock.advance(laterMs);
  }
  expect(bodiesOf(service)).toMatchObject([
    { sequence: 1, ageMs: 0 },
    { sequence: 2, ageMs: 0 },
    { sequence: 3, ageMs: 3_800 },
  ]);
});

test('in the background, where timers stand still, a push is enough to send', async () => {
  const { service, tracker, clock } = await tracking();
  const after = jest.spyOn(clock, 'after').mockImplementation(() => () => undefined);
  await clock.advance(6_000);
  void tracker.push(fix());
  await clock.advance(0);
  after.mockRestore();
  expect(service.callsOf('update')).toHaveLength(1);
});

test('a position pushed before the start is sent after it, at once', async () => {
  const { service, tracker, clock } = aTracker();
  void tracker.push(fix());
  await clock.advance(60_000);
  expect(service.calls).toEqual([]);
  await tracker.start();
  await clock.advance(0);
  expect(service.callsOf('update')).toHaveLength(1);
});

const place = { latitude: 12.9, longitude: 77.5 };
test.each<[string, Omit<PhonePosition, 'coords'> & { coords: object }, object]>([
  [
    'expo-location on iOS: −1 is unknown',
    { coords: { accuracy: 5, speed: -1, heading: -1 } },
    { accuracy: 5 },
  ],
  ['Android: null is unknown', { coords: { accuracy: null, speed: null, heading: null } }, {}],
  ["the browser's Geolocation: NaN is unknown", { coords: { accuracy: 30, heading: NaN } }, { accuracy: 30 }],
  [
    'a phone that knows everything',
    { coords: { accuracy: 4, speed: 8.2, heading: 359.9 }, mocked: true },
    { accuracy: 4, speed: 8.2, heading: 359.9, mocked: true },
  ],
])('takes a position of %s', async (_phone, position, expected) => {
  const { service, tracker, clock } = await tracking();
  void tracker.push({ ...position, coords: { ...place, ...position.coords } });
  await clock.advance(5_000);
  const { sessionId } = service;
  expect(bodiesOf(service)).toEqual([{ sessionId, ...place, ...expected, sequence: 1, ageMs: 0 }]);
});

test.each<[string, unknown]>([
  ['coords.latitude', { coords: { ...place, latitude: NaN } }],
  ['coords.longitude', { coords: { ...place, longitude: 200 } }],
  ['coords.longitude', { coords: { latitude: 1 } }],
  ['coords.latitude', undefined],
  ['coords.latitude', { latitude: 1, longitude: 2 }],
  ['coords', { coords: { latitude: 0, longitude: 0, accuracy: 0 } }],
])(
  'a position with an invalid %s is dropped, and does not replace a valid one: %j',
  async (path, position) => {
    const { service, tracker, clock, record } = await tracking();
    void tracker.push(fix(10));
    void tracker.push(position as PhonePosition);
    await clock.advance(60_000);
    expect(bodiesOf(service).map(({ latitude }) => latitude)).toEqual([fix(10).coords.latitude]);
    expect(record.dropped).toHaveLength(1);
    expect(record.dropped[0]?.error).toMatchObject({ status: 0, code: 'VALIDATION_FAILED' });
    expect(record.dropped[0]?.error.message).toContain(path);
  },
);

test("a listener's error is thrown for the app to see and does not end the tracking", async () => {
  const driven = await tracking();
  driven.tracker.on('sent', ({ sequence }) => {
    if (sequence === 1) throw new Error("the app's own");
  });
  void driven.tracker.push(fix());
  await expect(driven.clock.advance(5_000)).rejects.toThrow("the app's own");
  await drive(driven, 10_000);
  expect(driven.service.callsOf('update')).toHaveLength(3);
});

test('an unsubscribed listener gets no further event', async () => {
  const { tracker, clock } = await tracking();
  const listener = jest.fn();
  const unsubscribe = tracker.on('sent', listener);
  void tracker.push(fix());
  await clock.advance(5_000);
  unsubscribe();
  void tracker.push(fix());
  await clock.advance(5_000);
  expect(listener).toHaveBeenCalledTimes(1);
});

test('a tracker that joins a running journey gets the last sequence and continues above it', async () => {
  const { service, tracker, record, clock } = aTracker((call) => {
    if (call.kind === 'start') {
      const details = { startedAt: '2026-11-22T10:00:00.000Z', expiresAt: '2026-11-22T11:00:00.000Z' };
      return refusal(409, 'JOURNEY_ALREADY_ACTIVE', { details });
    }
    const isLower = Number(call.body['sequence']) <= 41;
    return isLower ? refusal(409, 'LOCATION_STALE', { details: { lastSequence: 41 } }) : undefined;
  });
  expect(await tracker.start()).toMatchObject({ wasRunning: true });
  for (let pushes = 2; pushes > 0; pushes--) {
    void tracker.push(fix());
    await clock.advance(0);
  }
  expect(bodiesOf(service).map(({ sequence }) => sequence)).toEqual([0, 42]);
  expect(record.sent.map(({ sequence }) => sequence)).toEqual([42]);
});
