import type { ActiveState, Approach, Journey, LiveLocation } from '../../src/journeys/journey.js';
import { activeVersion, activeView, endedView, inactiveView } from '../../src/live/live-view.js';

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
/** Who comes home at 10 m/s, watched for two minutes. */
function approach(more: Partial<Approach> = {}): Approach {
  return { closingSpeed: 10, pace: 10, unsteadiness: 0, watchedSeconds: 120, ...more };
}
const nobodyKnowsWhen = { etaSeconds: null, etaLowSeconds: null, etaHighSeconds: null };
const state: ActiveState = { journey, location: null, problem: null, nowMs: NOW };
const view = (more: Partial<LiveLocation> = {}) => activeView({ ...state, location: location(more) });

test('times are ISO 8601 in UTC with milliseconds', () => {
  expect(view()).toMatchObject({
    startedAt: '2025-06-01T11:59:00.007Z',
    expiresAt: '2025-06-01T12:59:00.007Z',
    lastUpdate: '2025-06-01T12:00:00.007Z',
  });
});

test('without a position nothing is told of one', () => {
  expect(activeView(state)).toMatchObject({
    ...{ isActive: true, location: null, lastUpdate: null, distanceMeters: null },
    ...nobodyKnowsWhen,
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

test.each([
  [25_000, 'live'],
  [25_001, 'delayed'],
  [70_000, 'delayed'],
  [70_001, 'stale'],
])('a fix of %d ms is %s where the next was due 10 s later than ordinary', (ageMs, freshness) => {
  expect(view({ fixMs: NOW - ageMs, nextUpdateMs: 15_000 })).toMatchObject({ ageMs, freshness });
  const cadence = { updateIntervalMs: 15_000, stretch: 1 };
  const where = location({ fixMs: NOW - ageMs + 10_000, nextUpdateMs: 15_000 });
  expect(activeView({ ...state, location: where }, cadence)).toMatchObject({ freshness });
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

test('the arrival is told as an interval of whole seconds where it is known how the trainer comes nearer', () => {
  expect(view({ speed: 10 })).toMatchObject(nobodyKnowsWhen);
  const { distanceMeters, etaSeconds, etaLowSeconds, etaHighSeconds } = view({ approach: approach() });
  const straightOnSeconds = (distanceMeters ?? NaN) / 10;
  expect([etaLowSeconds, etaSeconds, etaHighSeconds].every(Number.isInteger)).toBe(true);
  expect(etaLowSeconds).toBeLessThanOrEqual(straightOnSeconds);
  expect(etaSeconds).toBeGreaterThan(straightOnSeconds);
  expect(etaHighSeconds).toBeGreaterThan(etaSeconds ?? NaN);
});

test.each<[string, Partial<LiveLocation>]>([
  ['one who has been watched too briefly', { approach: approach({ watchedSeconds: 19 }) }],
  ['one who does not come nearer', { approach: approach({ closingSpeed: 0 }) }],
  ['one who drives away', { approach: approach({ closingSpeed: -5 }) }],
  ['one who drives almost past the home', { approach: approach({ closingSpeed: 1 }) }],
  ['one whose pace tells nothing', { approach: approach({ unsteadiness: 9_999, watchedSeconds: 30 }) }],
  ['one who has stood for over a minute', { approach: approach(), stillSeconds: 61 }],
  [
    'one whose last exact fix is over a minute old',
    { approach: approach({ reference: { ...location(), fixMs: NOW - 60_001 } }) },
  ],
])('no arrival is told of %s', (_whom, more) => {
  expect(view(more)).toMatchObject(nobodyKnowsWhen);
});

test('no arrival is told of a fix that is stale', () => {
  const fixMs = NOW - 60_001;
  expect(view({ fixMs, approach: approach() })).toMatchObject({
    freshness: 'stale',
    ...nobodyKnowsWhen,
  });
});

test('the arrival is sooner at a higher pace, and the interval narrower', () => {
  const at = (speed: number) => view({ approach: approach({ closingSpeed: speed, pace: speed }) });
  const [slow, fast] = [at(5), at(15)];
  expect(fast.etaSeconds).toBeLessThan(slow.etaSeconds ?? NaN);
  const width = ({ etaLowSeconds: low, etaHighSeconds: high }: typeof slow) => (high ?? NaN) - (low ?? NaN);
  expect(width(fast)).toBeLessThan(width(slow));
});

test('an unsteady pace makes the interval wider, and a longer watch narrower', () => {
  const width = (more: Partial<Approach>) => {
    const { etaLowSeconds: low, etaHighSeconds: high } = view({ approach: approach(more) });
    return (high ?? NaN) - (low ?? NaN);
  };
  expect(width({ unsteadiness: 400 })).toBeGreaterThan(width({ unsteadiness: 100 }));
  expect(width({ watchedSeconds: 300 })).toBeLessThan(width({ watchedSeconds: 30 }));
});

test('no time until the arrival is negative, and at the door none is told when it should long have been', () => {
  for (let agoMs = 0; agoMs <= 60_000; agoMs += 1_000) {
    const near = location({ ...home, fixMs: NOW - agoMs });
    const {
      etaLowSeconds: low,
      etaSeconds: eta,
      etaHighSeconds: high,
    } = activeView({ ...state, location: { ...near, approach: approach() } });
    if (high === null) expect([low, eta]).toEqual([null, null]);
    else {
      expect(low).toBe(0);
      expect(eta).toBeGreaterThanOrEqual(0);
      expect(high).toBeGreaterThan(0);
    }
  }
});

test('without a home neither distance nor arrival is told', () => {
  const homeless = activeView({
    ...state,
    ...{ journey: { ...journey, home: null }, location: location({ approach: approach() }) },
  });
  expect(homeless).toMatchObject({ distanceMeters: null, ...nobodyKnowsWhen });
});

test("who is at home and nothing else of the session's people is shown", () => {
  expect(JSON.stringify(view())).not.toContain(ids.studentId);
});

test.each(['arrived', 'cancelled', 'timeout'] as const)('an end by %s is told, and no location', (reason) => {
  expect(endedView({ ...ids, endedAtMs: NOW, reason })).toMatchObject({
    ...{ isActive: false, location: null, endedReason: reason, endedAt: '2025-06-01T12:00:00.007Z' },
  });
});

test('a poll is worth while after the next update, soon where there is none yet, and seldom after the end', () => {
  expect(view({ nextUpdateMs: 10_000 }).nextPollMs).toBe(10_500);
  expect(activeView(state).nextPollMs).toBe(4_000);
  expect(inactiveView(ids.sessionId, ids.trainerId).nextPollMs).toBe(4_000);
  expect(endedView({ ...ids, endedAtMs: NOW, reason: 'arrived' }).nextPollMs).toBe(15_000);
  const busy = { updateIntervalMs: 5_000, stretch: 2 };
  expect(activeView(state, busy).nextPollMs).toBe(8_000);
  expect(inactiveView(ids.sessionId, ids.trainerId, busy).nextPollMs).toBe(8_000);
});

test('what is not active tells of no end', () => {
  const inactive = inactiveView(ids.sessionId, ids.trainerId);
  expect(inactive).toMatchObject({ isActive: false, location: null });
  expect(inactive).not.toHaveProperty('endedReason');
});

test('the version changes with each position, start and problem, and with nothing else', () => {
  const version = (more: Partial<ActiveState>) => activeVersion({ ...state, location: location(), ...more });
  expect(version({ location: location({ accuracy: 3 }) })).toBe(version({}));
  const others: Partial<ActiveState>[] = [
    { location: null },
    { location: location({ timestampMs: NOW + 1 }) },
    { journey: { ...journey, startedAtMs: NOW } },
    { journey: { ...journey, startedAtMs: NOW }, location: null },
    { problem: 'noFix' },
    { problem: 'permission' },
    { problem: 'noFix', location: null },
  ];
  expect(new Set([{}, ...others].map(version)).size).toBe(8);
});
