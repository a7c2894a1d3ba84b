import { TrainerTracker, type JourneyApiOptions } from '../../src/client/index.js';
import { refusal, success } from '../../src/client/testing/answers.js';
import type { FakeAnswer, FakeScript } from '../../src/client/testing/fake-network.js';
import { aTracker, tracking } from './scripted-clients.js';
import { fix, type ScriptedService } from './scripted-service.js';

/** A tracker whose first update is due. */
async function trackerThatIsDue(script: FakeScript, options?: Partial<JourneyApiOptions>) {
  const made = await tracking(script, options);
  await made.clock.advance(5_000);
  return made;
}

const firstIs =
  (answer: FakeAnswer): FakeScript =>
  (_call, earlier) =>
    earlier === 0 ? answer : undefined;
const sequencesOf = (service: ScriptedService) =>
  service.callsOf('update').map(({ body }) => body['sequence']);
const unavailableFor = (seconds: number) =>
  refusal(503, 'STATE_UNAVAILABLE', { headers: { 'Retry-After': String(seconds) } });

test('2xx: the position is sent once', async () => {
  const { service, tracker, record, clock } = await trackerThatIsDue(() => undefined);
  void tracker.push(fix());
  await clock.advance(600_000);
  expect([service.callsOf('update').length, record.sent.length]).toEqual([1, 1]);
});

test('409 LOCATION_STALE with a higher lastSequence: that same position is sent again above it', async () => {
  const { service, tracker, record, clock } = await trackerThatIsDue(
    firstIs(refusal(409, 'LOCATION_STALE', { details: { lastSequence: 17 } })),
  );
  const outcome = tracker.push(fix(1));
  await clock.advance(0);
  expect(await outcome).toBe('sent');
  void tracker.push(fix(2));
  await clock.advance(5_000);
  expect(sequencesOf(service)).toEqual([1, 18, 19]);
  expect(service.callsOf('update')[1]?.body['latitude']).toBe(fix(1).coords.latitude);
  expect([record.dropped, tracker.state]).toEqual([[], 'tracking']);
});

test.each([[0], [null]])(
  '409 LOCATION_STALE with lastSequence %p: the position itself is too old',
  async (last) => {
    const { service, tracker, record, clock } = await trackerThatIsDue(
      firstIs(refusal(409, 'LOCATION_STALE', { details: { lastSequence: last } })),
    );
    const outcome = tracker.push(fix());
    await clock.advance(60_000);
    expect(await outcome).toBe('dropped');
    expect(sequencesOf(service)).toEqual([1]);
    expect(record.dropped.map(({ error }) => error.code)).toEqual(['LOCATION_STALE']);
  },
);

test('a position is repaired once, so that two phones do not compete for ever', async () => {
  const { service, tracker, clock } = await trackerThatIsDue(({ body }) =>
    refusal(409, 'LOCATION_STALE', { details: { lastSequence: Number(body['sequence']) + 5 } }),
  );
  void tracker.push(fix());
  await clock.advance(60_000);
  expect(sequencesOf(service)).toEqual([1, 7]);
});

test.each([
  [400, 'LOCATION_IMPLAUSIBLE'],
  [413, 'PAYLOAD_TOO_LARGE'],
  [415, 'UNSUPPORTED_MEDIA_TYPE'],
  [422, 'VALIDATION_FAILED'],
] as const)('%d: that position is dropped, and the next is sent at the cadence', async (status, code) => {
  const { service, tracker, record, clock } = await trackerThatIsDue(firstIs(refusal(status, code)));
  const bad = fix(1);
  void tracker.push(bad);
  await clock.advance(1_000);
  void tracker.push(fix(2));
  await clock.advance(60_000);
  const [first, second] = service.callsOf('update').map(({ atMs }) => atMs);
  expect((second ?? 0) - (first ?? 0)).toBe(5_000);
  expect(sequencesOf(service)).toEqual([1, 2]);
  expect(record.dropped).toMatchObject([{ position: bad, error: { status, code } }]);
  expect(tracker.state).toBe('tracking');
});

test('401: two trackers whose token expired share one refresh, and each repeats once', async () => {
  const script: FakeScript = ({ headers }) =>
    headers['Authorization'] === 'Bearer token-0'
      ? { ...refusal(401, 'UNAUTHENTICATED'), tookMs: 200 }
      : undefined;
  const { service, tracker } = aTracker(script);
  const other = new TrainerTracker(service);
  const started = Promise.all([tracker.start(), other.start()]);
  await service.clock.advance(1_000);
  await started;
  expect(service.tokens.filter(Boolean)).toHaveLength(1);
  expect(service.callsOf('start')).toHaveLength(4);
});

test.each([
  [401, 'UNAUTHENTICATED', {}, 'unauthenticated', 2],
  [403, 'FORBIDDEN', {}, 'forbidden', 1],
  [404, 'JOURNEY_NOT_ACTIVE', {}, 'notFound', 1],
  [410, 'JOURNEY_ENDED', { reason: 'timeout', endedAt: '2026-11-22T11:00:00.000Z' }, 'timeout', 1],
] as const)(
  '%d: the tracking ends, drops what it has, and says why',
  async (status, code, details, reason, requests) => {
    const { service, tracker, record, clock } = await trackerThatIsDue(() => ({
      ...refusal(status, code, { details }),
      tookMs: 300,
    }));
    void tracker.push(fix(1));
    await clock.advance(100);
    void tracker.push(fix(2));
    await clock.advance(600_000);
    void tracker.push(fix(3));
    await clock.advance(600_000);
    expect(service.callsOf('update')).toHaveLength(requests);
    expect(record.ended).toMatchObject([{ reason, error: { status, code } }]);
    expect([tracker.state, clock.alarms]).toEqual(['ended', 0]);
  },
);

test.each<[string, FakeAnswer | 'offline' | 'hanging']>([
  ['408', { status: 408, body: '' }],
  ['429', refusal(429, 'RATE_LIMITED')],
  ['500', refusal(500, 'INTERNAL_ERROR')],
  ['503', refusal(503, 'STATE_UNAVAILABLE')],
  ["a gateway's 502", { status: 502, body: '<html>' }],
  ["a captive portal's 404", { status: 404, body: '<html>' }],
  ['a network error', 'offline'],
  ['the deadline', 'hanging'],
])('%s: the same position is retried', async (_name, failure) => {
  const { service, tracker, record, clock } = await trackerThatIsDue((_call, earlier) =>
    earlier < 2 ? failure : undefined,
  );
  void tracker.push(fix());
  await clock.advance(30_000);
  expect(sequencesOf(service)).toEqual([1, 1, 1]);
  expect(record.retrying.map(({ call }) => call)).toEqual(['update', 'update']);
  expect(record.states.slice(-2)).toEqual(['reconnecting', 'tracking']);
});

test('the waits double from 1 s up to 60 s, with full jitter', async () => {
  const shares = [0.999, 0.25, 0.5];
  let draws = 0;
  const { tracker, record, clock } = await trackerThatIsDue(() => 'offline', {
    // Two draws a failure: one for Retry-After, one for the backoff.
    random: () => (draws++ % 2 === 0 ? 0 : (shares[Math.floor(draws / 2 - 1) % shares.length] ?? 0)),
  });
  draws = 0;
  void tracker.push(fix());
  await clock.advance(400_000);
  const expected = [1, 2, 4, 8, 16, 32, 60, 60].map((s, index) =>
    Math.round(s * 1_000 * (shares[index % 3] ?? 0)),
  );
  expect(record.retrying.slice(0, 8).map(({ inMs }) => Math.round(inMs))).toEqual(expected);
});

test.each([
  [0, 20_000],
  [0.5, 22_500],
  [0.999, 24_995],
])(
  'Retry-After of 20 s is a floor, with up to 25 % on top: at a share of %d it is %d ms',
  async (share, ms) => {
    const { tracker, record, clock } = await trackerThatIsDue(() => unavailableFor(20), {
      random: () => share,
    });
    void tracker.push(fix());
    await clock.advance(1_000);
    expect(Math.round(record.retrying[0]?.inMs ?? 0)).toBe(ms);
  },
);

test('a newer position replaces the one that waits for its retry', async () => {
  const { service, tracker, clock } = await trackerThatIsDue(firstIs(unavailableFor(10)));
  void tracker.push(fix(1));
  await clock.advance(1_000);
  void tracker.push(fix(2));
  void tracker.push(fix(3));
  await clock.advance(60_000);
  const sent = service.callsOf('update').map(({ body }) => body['latitude']);
  expect(sent).toEqual([fix(1), fix(3)].map(({ coords }) => coords.latitude));
});

test('it retries without limit until expiresAt, and then ends as timeout', async () => {
  const { service, tracker, record, clock } = await trackerThatIsDue(() => 'offline');
  void tracker.push(fix());
  await clock.advance(3_594_000);
  expect(service.callsOf('update').length).toBeGreaterThan(60);
  expect(tracker.state).toBe('reconnecting');
  await clock.advance(2_000);
  expect(record.ended).toEqual([{ reason: 'timeout' }]);
  expect(clock.alarms).toBe(0);
});

test("expiresAt is counted by the service's times, also for a journey that was already running", async () => {
  const { tracker, clock } = aTracker((call) => {
    const details = { startedAt: '2026-11-22T10:00:00.000Z', expiresAt: '2026-11-22T11:00:00.000Z' };
    return call.kind === 'start'
      ? refusal(409, 'JOURNEY_ALREADY_ACTIVE', { details })
      : success(201, { timestamp: '2026-11-22T10:50:00.000Z', ttl: 300, nextUpdateMs: 5_000 });
  });
  await tracker.start();
  void tracker.push(fix());
  await clock.advance(599_000);
  expect(tracker.state).toBe('tracking');
  await clock.advance(1_001);
  expect(tracker.state).toBe('ended');
});

test.each<[string, number, FakeAnswer | 'offline', number, number]>([
  ['at random within 3 s', 0.9, 'offline', 8, 2_700],
  ['at random within 3 s', 0.1, 'offline', 8, 300],
  ['not before Retry-After', 0, unavailableFor(30), 1, 30_000],
])('back online: the first retry comes %s', async (_when, share, failure, fails, expectedMs) => {
  const { service, tracker, clock } = await trackerThatIsDue(
    (_call, earlier) => (earlier < fails ? failure : undefined),
    { random: () => share },
  );
  void tracker.push(fix());
  await clock.advance(0);
  while (service.callsOf('update').length < fails) await clock.advance(1_000);
  service.api.backOnline();
  const backAtMs = clock.nowMs();
  await clock.advance(120_000);
  expect(Math.round((service.callsOf('update')[fails]?.atMs ?? 0) - backAtMs)).toBe(expectedMs);
});
