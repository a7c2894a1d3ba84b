import { refusal, success } from '../../src/client/testing/answers.js';
import { aTracker } from './scripted-clients.js';
import { fix, live } from './scripted-service.js';

const RUNNING = { startedAt: '2026-11-22T10:00:00.000Z', expiresAt: '2026-11-22T11:00:00.000Z' };

test('resume joins the running journey above its last sequence, without a start', async () => {
  const { service, tracker, record, clock } = aTracker((call) => {
    const location = { latitude: 12, longitude: 77, sequence: 41, timestamp: '2026-11-22T10:20:00.000Z' };
    return call.kind === 'live' ? success(200, live(service, { ...RUNNING, location })) : undefined;
  });
  const outcome = tracker.push(fix());
  expect(await tracker.resume()).toMatchObject({ ...RUNNING, wasRunning: true });
  await clock.advance(0);
  expect(await outcome).toBe('sent');
  expect(record.sent.map(({ sequence }) => sequence)).toEqual([42]);
  expect(service.calls.map(({ kind }) => kind)).toEqual(['live', 'update']);
  expect(tracker.state).toBe('tracking');
});

test('resume after the position has expired learns the sequence from the first refusal', async () => {
  const { service, tracker, record, clock } = aTracker((call) => {
    if (call.kind === 'live') return success(200, live(service, { ...RUNNING, location: null }));
    const isLower = Number(call.body['sequence']) <= 41;
    return isLower ? refusal(409, 'LOCATION_STALE', { details: { lastSequence: 41 } }) : undefined;
  });
  await tracker.resume();
  const outcome = tracker.push(fix());
  await clock.advance(0);
  expect([await outcome, record.dropped, record.sent[0]?.sequence]).toEqual(['sent', [], 42]);
});

test.each(['arrived', 'cancelled', undefined])(
  'resume of a journey that is over (%s) starts none',
  async (endedReason) => {
    const inactive = { isActive: false, location: null, startedAt: null, expiresAt: null, endedReason };
    const { service, tracker, record, clock } = aTracker((call) =>
      call.kind === 'live' ? success(200, live(service, inactive)) : undefined,
    );
    expect(await tracker.resume()).toBeNull();
    expect([tracker.state, record.ended, clock.alarms]).toEqual(['idle', [], 0]);
    expect(service.callsOf('start')).toEqual([]);
  },
);

test('resume is retried without a network, and given up after its timeout', async () => {
  const { service, tracker, clock } = aTracker(() => 'offline');
  const failed = tracker.resume({ timeoutMs: 30_000 }).catch((error: unknown) => error);
  await clock.advance(30_000);
  expect(await failed).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  expect(service.calls.length).toBeGreaterThan(2);
  expect([tracker.state, clock.alarms]).toEqual(['idle', 0]);
});

test('a start during a resume uses its journey, and starts one if there is none', async () => {
  for (const isActive of [true, false]) {
    const { service, tracker } = aTracker((call) =>
      call.kind === 'live' ? success(200, live(service, { ...RUNNING, isActive })) : undefined,
    );
    const [resumed, started] = await Promise.all([tracker.resume(), tracker.start()]);
    expect([resumed !== null, started.wasRunning]).toEqual([isActive, isActive]);
    expect(service.callsOf('start')).toHaveLength(isActive ? 0 : 1);
  }
});

test.each([
  [41, [42, 43]],
  [null, [1, 2]],
  // A service before lastSequence was added.
  [undefined, [0, 1]],
])('a start that joins continues above lastSequence %p', async (lastSequence, expected) => {
  const { service, tracker, clock } = aTracker((call) =>
    call.kind === 'start'
      ? refusal(409, 'JOURNEY_ALREADY_ACTIVE', { details: { ...RUNNING, lastSequence } })
      : undefined,
  );
  expect(await tracker.start()).toMatchObject({ wasRunning: true });
  for (let pushes = 0; pushes < 2; pushes++) {
    void tracker.push(fix());
    await clock.advance(5_000);
  }
  expect(service.callsOf('update').map(({ body }) => body['sequence'])).toEqual(expected);
});

test('after a resume a start and another resume give the same journey', async () => {
  const { service, tracker } = aTracker((call) =>
    call.kind === 'live' ? success(200, live(service, RUNNING)) : undefined,
  );
  const journeys = [await tracker.resume(), await tracker.start(), await tracker.resume()];
  expect(new Set(journeys).size).toBe(1);
  expect(service.calls).toHaveLength(1);
});
