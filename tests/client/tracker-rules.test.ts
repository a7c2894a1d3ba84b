import { TrainerTracker } from '../../src/client/index.js';
import { recordTracker } from './recorded-events.js';
import { done, fix, refused, ScriptedService, type ScriptedAnswer, type Script } from './scripted-service.js';

/** A tracker of a journey that runs, whose updates the script answers. */
async function tracking(script: Script, options: ConstructorParameters<typeof ScriptedService>[1] = {}) {
  const service = new ScriptedService(
    (call, earlier) => (call.kind === 'update' ? script(call, earlier) : undefined),
    options,
  );
  const tracker = new TrainerTracker(service);
  const record = recordTracker(tracker);
  await tracker.start();
  await service.clock.advance(5_000);
  return { service, tracker, record, clock: service.clock };
}

const firstIs =
  (answer: ScriptedAnswer): Script =>
  (_call, earlier) =>
    earlier === 0 ? answer : undefined;
const sequencesOf = (service: ScriptedService) =>
  service.callsOf('update').map(({ body }) => body['sequence']);

test('2xx: the position is done, and never sent again', async () => {
  const { service, tracker, record, clock } = await tracking(() => undefined);
  tracker.push(fix());
  await clock.advance(600_000);
  expect(service.callsOf('update')).toHaveLength(1);
  expect(record.sent).toHaveLength(1);
});

test('409 LOCATION_STALE: the position is dropped, and the next goes on above lastSequence', async () => {
  const { service, tracker, record, clock } = await tracking(
    firstIs(refused(409, 'LOCATION_STALE', { details: { lastSequence: 17 } })),
  );
  tracker.push(fix());
  await clock.advance(60_000);
  tracker.push(fix());
  await clock.advance(5_000);
  expect(sequencesOf(service)).toEqual([1, 18]);
  expect(record.dropped.map(({ error }) => error.code)).toEqual(['LOCATION_STALE']);
});

test('409 LOCATION_STALE without a sequence, for its age: dropped, and the sequence goes on', async () => {
  const { service, tracker, clock } = await tracking(
    firstIs(refused(409, 'LOCATION_STALE', { details: { lastSequence: null } })),
  );
  tracker.push(fix());
  await clock.advance(5_000);
  tracker.push(fix());
  await clock.advance(5_000);
  expect(sequencesOf(service)).toEqual([1, 2]);
});

test.each([
  [400, 'LOCATION_IMPLAUSIBLE'],
  [413, 'PAYLOAD_TOO_LARGE'],
  [415, 'UNSUPPORTED_MEDIA_TYPE'],
  [422, 'VALIDATION_FAILED'],
])('%d: that position is dropped and told, and the next is sent at the cadence', async (status, code) => {
  const { service, tracker, record, clock } = await tracking(firstIs(refused(status, code)));
  const bad = fix(1);
  tracker.push(bad);
  await clock.advance(1_000);
  tracker.push(fix(2));
  await clock.advance(60_000);
  const times = service.callsOf('update').map(({ atMs }) => atMs);
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBe(5_000);
  expect(sequencesOf(service)).toEqual([1, 2]);
  expect(record.dropped).toEqual([
    { position: bad, error: expect.objectContaining({ status, code }) as unknown },
  ]);
  expect(tracker.state).toBe('tracking');
});

test('401: two trackers whose token ran out share one refresh, and each repeats once', async () => {
  const service = new ScriptedService((call) =>
    call.headers['Authorization'] === 'Bearer token-0'
      ? { ...refused(401, 'UNAUTHENTICATED'), tookMs: 200 }
      : undefined,
  );
  const trackers = [new TrainerTracker(service), new TrainerTracker(service)];
  const started = Promise.all(trackers.map((tracker) => tracker.start()));
  await service.clock.advance(1_000);
  await started;
  expect(service.tokens.filter(Boolean)).toHaveLength(1);
  expect(service.callsOf('start')).toHaveLength(4);
});

test('401 again after the refresh: it stops and tells', async () => {
  const { service, tracker, record, clock } = await tracking(() => refused(401, 'UNAUTHENTICATED'));
  tracker.push(fix());
  await clock.advance(600_000);
  expect(service.callsOf('update')).toHaveLength(2);
  expect(record.ended).toMatchObject([{ reason: 'unauthenticated', error: { status: 401 } }]);
  expect(clock.alarms).toBe(0);
});

test.each([
  [403, 'FORBIDDEN', {}, 'forbidden'],
  [404, 'JOURNEY_NOT_ACTIVE', {}, 'notFound'],
  [410, 'JOURNEY_ENDED', { reason: 'timeout', endedAt: '2026-11-22T11:00:00.000Z' }, 'timeout'],
])('%d: the tracking ends, drops what it has, and says why', async (status, code, details, reason) => {
  const { service, tracker, record, clock } = await tracking(() => ({
    ...refused(status, code, { details }),
    tookMs: 300,
  }));
  tracker.push(fix(1));
  await clock.advance(100);
  tracker.push(fix(2));
  await clock.advance(600_000);
  tracker.push(fix(3));
  await clock.advance(600_000);
  expect(service.callsOf('update')).toHaveLength(1);
  expect(record.ended).toMatchObject([{ reason, error: { status, code } }]);
  expect([tracker.state, clock.alarms]).toEqual(['ended', 0]);
});

test("a captive portal's 404 is an outage and not the end of the journey", async () => {
  const { service, tracker, clock } = await tracking(firstIs({ status: 404, body: '<html>' }));
  tracker.push(fix());
  await clock.advance(2_000);
  expect(service.callsOf('update')).toHaveLength(2);
  expect(tracker.state).toBe('tracking');
});

const failures: [string, ScriptedAnswer | 'away' | 'dark'][] = [
  ['408', { status: 408, body: '' }],
  ['429', refused(429, 'RATE_LIMITED')],
  ['500', refused(500, 'INTERNAL_ERROR')],
  ['503', refused(503, 'STATE_UNAVAILABLE')],
  ["a gateway's 502", { status: 502, body: '<html>' }],
  ['a network error', 'away'],
  ['the deadline', 'dark'],
];
test.each(failures)('%s: the position is tried again', async (_name, failure) => {
  const { service, tracker, record, clock } = await tracking((_call, earlier) =>
    earlier < 2 ? failure : undefined,
  );
  tracker.push(fix());
  await clock.advance(30_000);
  expect(sequencesOf(service)).toEqual([1, 1, 1]);
  expect(record.retrying.map(({ call }) => call)).toEqual(['update', 'update']);
  expect(record.states.slice(-2)).toEqual(['reconnecting', 'tracking']);
});

test('the waits double from 1 s up to 60 s, and each is a random share of that', async () => {
  const shares = [0.999, 0.25, 0.5];
  let draws = 0;
  const { tracker, record, clock } = await tracking(() => 'away', {
    // Two draws a failure: the share of Retry-After's jitter, and that of the backoff.
    random: () => (draws++ % 2 === 0 ? 0 : (shares[Math.floor(draws / 2 - 1) % shares.length] ?? 0)),
  });
  draws = 0;
  tracker.push(fix());
  await clock.advance(400_000);
  const ceilings = [1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * 1_000);
  const expected = ceilings.map((ms, index) => Math.round(ms * (shares[index % 3] ?? 0)));
  expect(record.retrying.slice(0, 8).map(({ inMs }) => Math.round(inMs))).toEqual(expected);
});

test('Retry-After is a floor, with up to 25 % on top', async () => {
  const waits: number[] = [];
  for (const share of [0, 0.5, 0.999]) {
    const { tracker, record, clock } = await tracking(
      () => refused(429, 'RATE_LIMITED', { headers: { 'Retry-After': '20' } }),
      { random: () => share },
    );
    tracker.push(fix());
    await clock.advance(1_000);
    waits.push(record.retrying[0]?.inMs ?? 0);
  }
  expect(waits.map(Math.round)).toEqual([20_000, 22_500, 24_995]);
});

test('the newest position takes the place of the one that waits to be tried again', async () => {
  const { service, tracker, clock } = await tracking(
    firstIs(refused(503, 'STATE_UNAVAILABLE', { headers: { 'Retry-After': '10' } })),
  );
  tracker.push(fix(1));
  await clock.advance(1_000);
  tracker.push(fix(2));
  tracker.push(fix(3));
  await clock.advance(60_000);
  expect(service.callsOf('update').map(({ body }) => body['latitude'])).toEqual(
    [fix(1), fix(3)].map((position) => position.coords.latitude),
  );
});

test('it tries without limit while the journey can be on, and then ends by expiresAt', async () => {
  const { service, tracker, record, clock } = await tracking(() => 'away');
  tracker.push(fix());
  await clock.advance(3_594_000);
  expect(service.callsOf('update').length).toBeGreaterThan(60);
  expect(tracker.state).toBe('reconnecting');
  await clock.advance(2_000);
  expect(record.ended).toEqual([{ reason: 'timeout' }]);
  expect(clock.alarms).toBe(0);
});

test("the end is counted by the service's times, also for a journey that ran already", async () => {
  const service: ScriptedService = new ScriptedService((call) => {
    const timestamp = '2026-11-22T10:50:00.000Z';
    const details = { startedAt: '2026-11-22T10:00:00.000Z', expiresAt: '2026-11-22T11:00:00.000Z' };
    if (call.kind === 'start') return refused(409, 'JOURNEY_ALREADY_ACTIVE', { details });
    return done(201, { sessionId: service.sessionId, timestamp, ttl: 300, nextUpdateMs: 5_000 });
  });
  const tracker = new TrainerTracker(service);
  await tracker.start();
  tracker.push(fix());
  await service.clock.advance(599_000);
  expect(tracker.state).toBe('tracking');
  await service.clock.advance(1_001);
  expect(tracker.state).toBe('ended');
});

test('back online: the first try comes within 3 s, at random, and not before Retry-After', async () => {
  const inMs = async (share: number, failure: ScriptedAnswer | 'away', fails: number) => {
    const { service, tracker, clock } = await tracking(
      (_call, earlier) => (earlier < fails ? failure : undefined),
      {
        random: () => share,
      },
    );
    tracker.push(fix());
    await clock.advance(0);
    while (service.callsOf('update').length < fails) await clock.advance(1_000);
    service.api.backOnline();
    const backAtMs = clock.nowMs();
    await clock.advance(120_000);
    return Math.round((service.callsOf('update')[fails]?.atMs ?? 0) - backAtMs);
  };
  expect(await inMs(0.9, 'away', 8)).toBe(2_700);
  expect(await inMs(0.1, 'away', 8)).toBe(300);
  const floor = refused(503, 'STATE_UNAVAILABLE', { headers: { 'Retry-After': '30' } });
  expect(await inMs(0, floor, 1)).toBe(30_000);
});
