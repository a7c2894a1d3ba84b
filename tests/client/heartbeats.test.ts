import { aTracker, recordTracker, tracking, watching } from './scripted-clients.js';
import { TrainerTracker } from '../../src/client/index.js';
import { refusal, success } from '../../src/client/testing/answers.js';
import { fix, live, ScriptedService } from './scripted-service.js';

const bodiesOf = (service: ScriptedService) => service.callsOf('heartbeat').map(({ body }) => body);
const secondsOf = (service: ScriptedService) =>
  service.callsOf('heartbeat').map(({ atMs }) => (atMs - 1_000_000) / 1_000);

/** One position, sent at once. */
async function tracked(...[script, options]: Parameters<typeof tracking>) {
  const made = await tracking(script, options);
  void made.tracker.push(fix());
  await made.clock.advance(0);
  return made;
}

test('without a position for three intervals the phone says noFix at the interval, until the next position', async () => {
  const { service, tracker, record, clock } = await tracked();
  await clock.advance(14_999);
  expect([bodiesOf(service), tracker.tracked.problem]).toEqual([[], null]);
  await clock.advance(11_001);
  const { sessionId } = service;
  expect(bodiesOf(service)).toEqual([2, 3, 4].map((sequence) => ({ sessionId, problem: 'noFix', sequence })));
  expect(secondsOf(service)).toEqual([15, 20, 25]);
  expect(tracker.tracked).toMatchObject({ state: 'tracking', problem: 'noFix' });
  void tracker.push(fix(9));
  await clock.advance(14_000);
  expect([service.callsOf('update').length, bodiesOf(service).length]).toEqual([2, 3]);
  expect([record.problems, record.sent.length]).toEqual([['noFix', null], 2]);
});

test('a phone that never had a position says noFix too', async () => {
  const { service, clock } = await tracking();
  await clock.advance(15_000);
  expect(bodiesOf(service)).toMatchObject([{ problem: 'noFix', sequence: 1 }]);
});

test('a phone that stands says still at the interval, and the trainer sees no problem', async () => {
  const { service, tracker, record, clock } = await tracked();
  tracker.report('still');
  await clock.advance(14_000);
  expect(bodiesOf(service).map(({ still }) => still)).toEqual([true, true]);
  expect(secondsOf(service)).toEqual([5, 10]);
  expect([record.problems, record.sent.length, tracker.state]).toEqual([[], 1, 'tracking']);
  tracker.report(null);
  await clock.advance(14_000);
  expect(bodiesOf(service)).toHaveLength(2);
});

test('where the app says so, silence means still, but only after a position', async () => {
  for (const hasPosition of [true, false]) {
    const service: ScriptedService = new ScriptedService();
    const tracker = new TrainerTracker({
      ...{ api: service.api, sessionId: service.sessionId },
      silenceMeans: 'still',
    });
    await tracker.start();
    if (hasPosition) void tracker.push(fix());
    await service.clock.advance(15_000);
    expect(bodiesOf(service)).toMatchObject([hasPosition ? { still: true } : { problem: 'noFix' }]);
    expect(tracker.tracked.problem).toBe(hasPosition ? null : 'noFix');
    tracker.close();
    expect(service.clock.alarms).toBe(0);
  }
});

test.each(['noFix', 'permission', 'reducedAccuracy', 'lowPower'] as const)(
  'the app reports %s, at once and also before the start',
  async (problem) => {
    const { service, tracker, record, clock } = aTracker();
    tracker.report(problem);
    expect([tracker.tracked.problem, service.calls]).toEqual([problem, []]);
    await tracker.start();
    await clock.advance(6_000);
    expect(bodiesOf(service).map((body) => body['problem'])).toEqual([problem, problem]);
    await tracker.stop();
    expect([record.problems, tracker.tracked.state, clock.alarms]).toEqual([[problem, null], 'ended', 0]);
  },
);

test('after the end a report changes nothing, and is made at the next start', async () => {
  const { service, tracker, record, clock } = await tracked();
  await tracker.stop();
  const ended = tracker.tracked;
  tracker.report('permission');
  expect([tracker.tracked === ended, record.problems, bodiesOf(service)]).toEqual([true, [], []]);
  await tracker.start();
  await clock.advance(0);
  expect(bodiesOf(service)).toMatchObject([{ problem: 'permission' }]);
  expect(record.problems).toEqual(['permission']);
});

test('a waiting position is sent in place of a heartbeat, and one request is in flight', async () => {
  const { service, tracker, clock } = await tracked(() => ({
    ...success(201, { timestamp: '2026-11-22T10:00:00.000Z', nextUpdateMs: 5_000 }),
    tookMs: 2_000,
  }));
  tracker.report('noFix');
  await clock.advance(6_000);
  void tracker.push(fix(5));
  await clock.advance(3_000);
  expect([service.callsOf('update').length, bodiesOf(service), service.mostInFlight]).toEqual([2, [], 1]);
});

test('a heartbeat that is refused is dropped silently; one without an answer, or too early, is sent later', async () => {
  const answers = [
    refusal(400, 'LOCATION_UNKNOWN'),
    refusal(429, 'RATE_LIMITED', { headers: { 'Retry-After': '4' } }),
    'offline' as const,
  ];
  const { service, tracker, record, clock } = aTracker(({ kind }, earlier) =>
    kind === 'heartbeat' ? answers[earlier] : undefined,
  );
  await tracker.start();
  void tracker.push(fix());
  await clock.advance(0);
  tracker.report('still');
  await clock.advance(5_000);
  // The service knows no position to which this refers, so the phone has none either.
  expect([record.dropped, tracker.tracked]).toMatchObject([[], { problem: 'noFix', lastError: null }]);
  await clock.advance(25_000);
  expect(bodiesOf(service).map(({ still, problem, sequence }) => [still ?? problem, sequence])).toEqual([
    [true, 2],
    ['noFix', 3],
    ['noFix', 4],
    ['noFix', 5],
    ['noFix', 6],
    ['noFix', 7],
  ]);
  expect([record.dropped, record.states.slice(-2)]).toEqual([[], ['reconnecting', 'tracking']]);
});

test('a heartbeat that failed is made anew, with what the app has reported since', async () => {
  const { service, tracker, clock } = aTracker(({ kind }, earlier) =>
    kind === 'heartbeat' && earlier === 0 ? { status: 502, body: '', tookMs: 1_000 } : undefined,
  );
  await tracker.start();
  tracker.report('noFix');
  await clock.advance(500);
  tracker.report('permission');
  await clock.advance(3_000);
  expect(bodiesOf(service).map(({ problem }) => problem)).toEqual(['noFix', 'permission']);
});

test('two phones with heartbeats do not compete for the sequence faster than the interval', async () => {
  const { service, tracker, clock } = aTracker(({ kind, body }) =>
    kind === 'heartbeat'
      ? refusal(409, 'LOCATION_STALE', { details: { lastSequence: Number(body['sequence']) + 5 } })
      : undefined,
  );
  await tracker.start();
  tracker.report('noFix');
  await clock.advance(11_000);
  expect(bodiesOf(service).map(({ sequence }) => sequence)).toEqual([1, 7, 13]);
});

test.each([
  [410, 'JOURNEY_ENDED', { reason: 'timeout' }, 'timeout'],
  [403, 'FORBIDDEN', {}, 'forbidden'],
] as const)(
  'a heartbeat that is answered with %d ends the tracking',
  async (status, code, details, reason) => {
    const { record, clock, tracker } = aTracker(({ kind }) =>
      kind === 'heartbeat' ? refusal(status, code, { details }) : undefined,
    );
    await tracker.start();
    await clock.advance(15_000);
    expect([record.ended, clock.alarms]).toMatchObject([[{ reason }], 0]);
  },
);

test('what is tracked is the same object until the next change', async () => {
  const { tracker, clock } = aTracker();
  const changes = [tracker.tracked];
  tracker.on('change', (each) => changes.push(each));
  await tracker.start();
  void tracker.push(fix());
  await clock.advance(16_000);
  tracker.close();
  expect(changes.map(({ state, problem, lastSent }) => [state, problem, lastSent?.sequence])).toEqual([
    ['idle', null, undefined],
    ['starting', null, undefined],
    ['tracking', null, undefined],
    ['tracking', null, 1],
    ['tracking', 'noFix', 1],
    ['ended', null, 1],
  ]);
  expect(tracker.tracked).toBe(changes.at(-1));
});

test('the last error stays until the next accepted update', async () => {
  const { tracker, clock } = await tracked((_call, earlier) =>
    earlier === 0 ? refusal(400, 'LOCATION_IMPLAUSIBLE') : undefined,
  );
  const record = recordTracker(tracker);
  expect(tracker.tracked.lastError).toMatchObject({ code: 'LOCATION_IMPLAUSIBLE' });
  void tracker.push(fix(1));
  await clock.advance(5_000);
  expect([tracker.tracked.lastError, record.sent.length]).toEqual([null, 1]);
});

test('the student sees why there is no position, and for how long the trainer stands', async () => {
  const { watcher, clock } = watching((service) => (_call, earlier) => {
    const states = [{ stillSeconds: 40 }, { ageMs: 61_000, freshness: 'stale', trainerProblem: 'noFix' }];
    const stale = earlier > 0;
    const etag = `W/"${Math.min(earlier, 1)}"`;
    const location = { latitude: 12.9, longitude: 77.5, timestamp: '2026-11-22T10:00:00.000Z' };
    return success(200, live(service, { location, stillSeconds: 40, ...states[stale ? 1 : 0] }), {
      ETag: etag,
    });
  });
  await clock.advance(0);
  expect(watcher.watched).toMatchObject({ state: 'live', trainerProblem: null, stillSeconds: 40 });
  await clock.advance(6_000);
  expect(watcher.watched).toMatchObject({ state: 'stale', trainerProblem: 'noFix', stillSeconds: null });
  watcher.close();
});
