import type { Journey, LiveLocation } from '../../src/journey/journey.js';
import { activeVersion, activeView, endedView, inactiveView } from '../../src/journey/live-view.js';

const NOW = Date.UTC(2025, 5, 1, 12, 0, 0, 7);
const ids = {
  sessionId: '11111111-1111-1111-1111-111111111111',
  trainerId: '22222222-2222-2222-2222-222222222222',
  studentId: '33333333-3333-3333-3333-333333333333',
};
const home = { latitude: 12.97, longitude: 77.59 };
const journey: Journey = { ...ids, startedAtMs: NOW - 60_000, expiresAtMs: NOW + 3_540_000, home };

function location(more: Partial<LiveLocation> = {}): LiveLocation {
  return { latitude: 12.97, longitude: 77.6, timestampMs: NOW, fixMs: NOW, ...more };
}
const view = (more: Partial<LiveLocation> = {}, nowMs = NOW) => activeView(journey, location(more), nowMs);

test('times are ISO 8601 in UTC with milliseconds', () => {
  expect(view()).toMatchObject({
    startedAt: '2025-06-01T11:59:00.007Z',
    expiresAt: '2025-06-01T12:59:00.007Z',
    lastUpdate: '2025-06-01T12:00:00.007Z',
  });
});

test('without a position nothing is told of one', () => {
  expect(activeView(journey, null, NOW)).toMatchObject({
    ...{ isActive: true, location: null, lastUpdate: null, distanceMeters: null, etaSeconds: null },
    ...{ ageMs: null, freshness: null, uncertaintyMeters: null },
  });
});

test('a fix of the future, by a clock that was set back, is of age 0', () => {
  expect(view({ fixMs: NOW + 5_000 })).toMatchObject({ ageMs: 0, freshness: 'live' });
});

test.each([
  [0, 'live'],
  [15_000, 'live'],
  [15_001, 'delayed'],
  [60_000, 'delayed'],
  [60_001, 'stale'],
])('a fix of %d ms is %s', (ageMs, freshness) => {
  expect(view({ fixMs: NOW - ageMs })).toMatchObject({ ageMs, freshness });
});

test('the uncertainty never shrinks with age, and is never under the accuracy', () => {
  for (const speed of [undefined, 0, 1, 14, 40]) {
    let last = 0;
    for (let ageMs = 0; ageMs <= 300_000; ageMs += 5_000) {
      const { uncertaintyMeters } = view({ accuracy: 25, speed, fixMs: NOW - ageMs });
      expect(uncertaintyMeters).toBeGreaterThanOrEqual(Math.max(25, last));
      last = uncertaintyMeters ?? NaN;
    }
    expect(last).toBeGreaterThan(25);
  }
});

test('the arrival is told only where the trainer moves', () => {
  const etas = [undefined, 0, 0.2].map((speed) => view({ speed }).etaSeconds);
  expect(etas).toEqual([null, null, null]);
  expect(view({ speed: 10 }).etaSeconds).toBeGreaterThan(0);
});

test('the arrival is sooner at a higher speed, and never negative', () => {
  const at = (speed: number) => view({ speed }).etaSeconds ?? NaN;
  expect(at(20)).toBeLessThan(at(10));
  const { etaSeconds } = activeView(journey, location({ ...home, speed: 30, fixMs: NOW - 50_000 }), NOW);
  expect(etaSeconds).toBe(0);
});

test('the arrival is not sooner than a straight line allows', () => {
  const { distanceMeters, etaSeconds } = view({ speed: 10 });
  expect(etaSeconds).toBeGreaterThanOrEqual((distanceMeters ?? NaN) / 10 - 1);
});

test('without a home neither distance nor arrival is told', () => {
  const homeless = activeView({ ...journey, home: null }, location({ speed: 10 }), NOW);
  expect(homeless).toMatchObject({ distanceMeters: null, etaSeconds: null });
});

test("who is at home and nothing else of the session's people is shown", () => {
  expect(JSON.stringify(view())).not.toContain(ids.studentId);
});

test.each(['arrived', 'cancelled', 'timeout'] as const)('an end by %s is told, and no location', (reason) => {
  expect(endedView({ ...ids, endedAtMs: NOW, reason })).toMatchObject({
    ...{ isActive: false, location: null, endedReason: reason, endedAt: '2025-06-01T12:00:00.007Z' },
  });
});

test('what is not active tells of no end', () => {
  const inactive = inactiveView(ids.sessionId, ids.trainerId);
  expect(inactive).toMatchObject({ isActive: false, location: null });
  expect(inactive).not.toHaveProperty('endedReason');
});

test('the version changes with each position and each start, and with nothing else', () => {
  const version = activeVersion(journey, location());
  expect(activeVersion(journey, location({ accuracy: 3 }))).toBe(version);
  const others = [
    activeVersion(journey, null),
    activeVersion(journey, location({ timestampMs: NOW + 1 })),
    activeVersion({ ...journey, startedAtMs: NOW }, location()),
    activeVersion({ ...journey, startedAtMs: NOW }, null),
  ];
  expect(new Set([version, ...others]).size).toBe(5);
});
