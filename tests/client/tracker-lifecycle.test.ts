import { refusal } from '../../src/client/testing/answers.js';
import type { FakeScript } from '../../src/client/testing/fake-network.js';
import { aTracker as trackerOf } from './scripted-clients.js';
import { fix, type ScriptedService } from './scripted-service.js';

/** Its Idempotency-Keys are random. */
const aTracker = (script?: FakeScript) => trackerOf(script, { random: Math.random });

/** The code of the refusal, or 'none'. */
function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'none',
    (error: unknown) => (error as { code: string }).code,
  );
}

const keysOf = (service: ScriptedService, kind: 'start' | 'arrived' | 'stop') =>
  new Set(service.callsOf(kind).map(({ headers }) => headers['Idempotency-Key']));

test('a start, however often it is called, goes from idle over starting to tracking', async () => {
  const { service, tracker, record } = aTracker();
  expect(tracker.state).toBe('idle');
  const [journey] = await Promise.all([tracker.start(), tracker.start()]);
  expect(service.callsOf('start')).toHaveLength(1);
  expect(journey.wasRunning).toBe(false);
  expect(Date.parse(journey.expiresAt) - Date.parse(journey.startedAt)).toBe(3_600_000);
  expect(record.states).toEqual(['starting', 'tracking']);
});

test('a refused start is reported by the promise and the event, and may be repeated', async () => {
  const { tracker, record } = aTracker((_call, earlier) =>
    earlier === 0 ? refusal(400, 'SESSION_NOT_STARTABLE') : undefined,
  );
  expect(await codeOf(tracker.start())).toBe('SESSION_NOT_STARTABLE');
  expect(record.refused).toMatchObject([{ call: 'start', error: { code: 'SESSION_NOT_STARTABLE' } }]);
  expect(tracker.state).toBe('idle');
  await tracker.start();
  expect(tracker.state).toBe('tracking');
});

test('a start that is refused ends nothing, because no journey began', async () => {
  const { tracker, record, clock } = aTracker(() => refusal(403, 'FORBIDDEN'));
  expect(await codeOf(tracker.start())).toBe('FORBIDDEN');
  expect([record.ended, record.states, clock.alarms]).toEqual([[], ['starting', 'idle'], 0]);
});

test('a start without an answer is retried with one key, and each failure is reported', async () => {
  const { service, tracker, record, clock } = aTracker(({ kind }, earlier) =>
    kind === 'start' && earlier < 3 ? 'offline' : undefined,
  );
  const started = tracker.start();
  await clock.advance(60_000);
  await started;
  expect(service.callsOf('start')).toHaveLength(4);
  expect(keysOf(service, 'start').size).toBe(1);
  expect(record.retrying.map(({ call }) => call)).toEqual(['start', 'start', 'start']);
});

test('an arrival refused for the distance does not end the tracking', async () => {
  const { service, tracker, record, clock } = aTracker((call) =>
    call.kind === 'arrived' ? refusal(400, 'NOT_AT_DESTINATION', { details: { distance: 900 } }) : undefined,
  );
  await tracker.start();
  expect(await codeOf(tracker.arrived())).toBe('NOT_AT_DESTINATION');
  void tracker.push(fix());
  await clock.advance(5_000);
  expect([tracker.state, service.callsOf('update').length]).toEqual(['tracking', 1]);
  expect(record.refused).toHaveLength(1);
});

test.each(['arrived', 'stop'] as const)('%s without a network is retried with one key', async (call) => {
  const { service, tracker, clock } = aTracker(({ kind }, earlier) =>
    kind === call && earlier < 4 ? 'hanging' : undefined,
  );
  await tracker.start();
  const answered = tracker[call]();
  await clock.advance(200_000);
  await answered;
  expect([service.callsOf(call).length, keysOf(service, call).size]).toEqual([5, 1]);
  expect(tracker.state).toBe('ended');
});

test('a position refused as ended while the arrival is in flight does not change the outcome', async () => {
  const { service, tracker, record, clock } = aTracker((call) => {
    if (call.kind === 'arrived') return { ...service.proper('arrived'), tookMs: 2_000 };
    if (call.kind === 'update') return refusal(410, 'JOURNEY_ENDED', { details: { reason: 'arrived' } });
    return undefined;
  });
  await tracker.start();
  await clock.advance(5_000);
  const arrived = tracker.arrived();
  void tracker.push(fix());
  await clock.advance(2_000);
  expect(await arrived).toMatchObject({ distance: 20 });
  expect(record.ended).toEqual([{ reason: 'arrived' }]);
  expect(clock.alarms).toBe(0);
});

test('no position is sent after a stop, however long its answer takes', async () => {
  const { service, tracker, clock } = aTracker((call, earlier) =>
    call.kind === 'stop' && earlier < 5 ? 'offline' : undefined,
  );
  await tracker.start();
  void tracker.push(fix());
  const stopped = tracker.stop();
  void tracker.push(fix());
  await clock.advance(200_000);
  await stopped;
  expect(service.callsOf('update')).toEqual([]);
});

test('a stop while the start is in flight comes after it', async () => {
  const { service, tracker, clock } = aTracker((call) =>
    call.kind === 'start' ? { ...service.proper('start'), tookMs: 3_000 } : undefined,
  );
  const started = tracker.start();
  const stopped = tracker.stop();
  await clock.advance(3_000);
  await Promise.all([started, stopped]);
  expect(service.calls.map(({ kind }) => kind)).toEqual(['start', 'stop']);
  expect(tracker.state).toBe('ended');
});

test('a stop while the start waits for its retry cancels the start', async () => {
  const { service, tracker, clock } = aTracker((call) => (call.kind === 'start' ? 'offline' : undefined));
  const started = codeOf(tracker.start());
  await clock.advance(30_000);
  const stopped = tracker.stop();
  const starts = service.callsOf('start').length;
  await clock.advance(200_000);
  await stopped;
  expect([await started, service.callsOf('start').length]).toEqual(['ABORTED', starts]);
});

test('after close there is no request, no timer and no event', async () => {
  const { service, tracker, record, clock } = aTracker((call) =>
    call.kind === 'update' ? 'hanging' : undefined,
  );
  await tracker.start();
  await clock.advance(5_000);
  void tracker.push(fix());
  await clock.advance(1_000);
  tracker.close();
  void tracker.push(fix());
  await clock.advance(1_000);
  expect(record.ended).toEqual([{ reason: 'closed' }]);
  expect([clock.alarms, service.callsOf('update').length, record.states.at(-1)]).toEqual([0, 1, 'ended']);
  expect(record.retrying).toEqual([]);
});

test('a tracker that was closed starts again, also while its first start is in flight', async () => {
  const { service, tracker, record, clock } = aTracker((call) =>
    call.kind === 'start' ? { ...service.proper('start'), tookMs: 300 } : undefined,
  );
  const first = codeOf(tracker.start());
  tracker.close();
  const second = tracker.start();
  await clock.advance(1_000);
  expect([await first, (await second).wasRunning]).toEqual(['ABORTED', false]);
  expect([tracker.state, record.ended]).toEqual(['tracking', []]);
  void tracker.push(fix());
  await clock.advance(0);
  tracker.close();
  await Promise.all([tracker.start(), clock.advance(1_000)]);
  void tracker.push(fix(1));
  await clock.advance(5_000);
  expect([tracker.state, record.sent.length, record.ended]).toEqual(['tracking', 2, [{ reason: 'closed' }]]);
});

test('a start after the end begins a new journey', async () => {
  const { service, tracker, record } = aTracker();
  const first = await tracker.start();
  await tracker.arrived();
  await service.clock.advance(60_000);
  const second = await tracker.start();
  expect(second.startedAt > first.startedAt).toBe(true);
  expect(keysOf(service, 'start').size).toBe(2);
  expect(record.states).toEqual(['starting', 'tracking', 'ended', 'starting', 'tracking']);
});

test('a start is given up by its signal or after its timeout, and can be made again', async () => {
  const { service, tracker, clock, record } = aTracker((_call, earlier) =>
    earlier < 30 ? 'offline' : undefined,
  );
  const controller = new AbortController();
  const aborted = codeOf(tracker.start({ signal: controller.signal }));
  await clock.advance(2_000);
  controller.abort();
  expect([await aborted, clock.alarms, tracker.state]).toEqual(['ABORTED', 0, 'idle']);
  const late = codeOf(tracker.start({ timeoutMs: 20_000 }));
  await clock.advance(20_000);
  expect([await late, clock.alarms, tracker.state]).toEqual(['DEADLINE_EXCEEDED', 0, 'idle']);
  const tries = service.calls.length;
  await clock.advance(600_000);
  expect([service.calls.length, record.ended]).toEqual([tries, []]);
  void tracker.start();
  await clock.advance(1_800_000);
  expect(tracker.state).toBe('tracking');
});

test('an arrival sends the position that waits first, and its answer decides', async () => {
  const { service, tracker, clock } = aTracker();
  await tracker.start();
  void tracker.push(fix(0));
  await clock.advance(1_500);
  void tracker.push(fix(185));
  const arrived = tracker.arrived();
  await clock.advance(500);
  // The phone moves on while the arrival waits.
  void tracker.push(fix(190));
  await clock.advance(3_000);
  await arrived;
  expect(service.calls.map(({ kind }) => kind)).toEqual(['start', 'update', 'update', 'arrived']);
  expect(service.callsOf('update')[1]?.body['latitude']).toBe(fix(190).coords.latitude);
});

test('an arrival waits at most 10 s for a position that does not get through', async () => {
  const { service, tracker, clock } = aTracker(({ kind }) => (kind === 'update' ? 'hanging' : undefined));
  await tracker.start();
  void tracker.push(fix());
  const arrived = tracker.arrived();
  await clock.advance(10_000);
  await arrived;
  expect(service.callsOf('arrived')).toHaveLength(1);
});

test.each([
  [
    'refused as ended',
    refusal(410, 'JOURNEY_ENDED', { details: { reason: 'timeout', endedAt: '2026-11-22T11:00:00.000Z' } }),
    'timeout',
    '2026-11-22T11:00:00.000Z',
  ],
  ['refused as not active', refusal(404, 'JOURNEY_NOT_ACTIVE'), 'unknown', null],
] as const)('a stop %s resolves, because its wish is fulfilled', async (_how, answer, reason, stoppedAt) => {
  const { service, tracker, record } = aTracker(({ kind }) => (kind === 'stop' ? answer : undefined));
  await tracker.start();
  expect(await tracker.stop()).toEqual({ sessionId: service.sessionId, stoppedAt });
  expect([record.ended, record.refused]).toEqual([[{ reason }], []]);
});

test('a stop after the arrival resolves without a request', async () => {
  const { service, tracker } = aTracker();
  await tracker.start();
  await tracker.arrived();
  expect(await tracker.stop()).toEqual({ sessionId: service.sessionId, stoppedAt: null });
  expect(service.callsOf('stop')).toEqual([]);
});

test('a promise that is not awaited causes no unhandled rejection', async () => {
  const unhandled: unknown[] = [];
  const listener = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', listener);
  const { tracker, clock } = aTracker(() => refusal(404, 'SESSION_NOT_FOUND'));
  void tracker.start();
  await clock.advance(1_000);
  void tracker.arrived();
  void tracker.stop();
  await clock.advance(1_000);
  process.off('unhandledRejection', listener);
  expect(unhandled).toEqual([]);
});

test('a stop asks the service where the tracker was closed, or lost its token, while the journey runs on', async () => {
  const { service, tracker, clock } = aTracker(({ kind }) =>
    kind === 'update' ? refusal(401, 'UNAUTHENTICATED') : undefined,
  );
  for (const end of ['close', 'refusal']) {
    await tracker.start();
    if (end === 'close') tracker.close();
    else void tracker.push(fix());
    await clock.advance(0);
    expect(tracker.state).toBe('ended');
    await tracker.stop();
  }
  expect(service.callsOf('stop')).toHaveLength(2);
  expect(clock.alarms).toBe(0);
});
