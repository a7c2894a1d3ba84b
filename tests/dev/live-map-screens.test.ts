import type { LiveJourney, Watched } from '../../src/client/index.js';
import { minutesLate, studentScreen } from '../../src/dev/pages/live-map/browser/student-screen.js';
import { trainerScreen } from '../../src/dev/pages/live-map/browser/trainer-screen.js';

const location = { latitude: 12.97, longitude: 77.64, timestamp: '2026-01-01T10:00:00.000Z' };
const onTheWay = {
  ...{ state: 'live', position: location, ageMs: 2_000, uncertaintyMeters: 8, ended: null },
  ...{ etaSeconds: 300, etaLowSeconds: 240, etaHighSeconds: 400, trainerProblem: null, stillSeconds: null },
  journey: { isActive: true, distanceMeters: 1_234 },
} as Watched;
const notStarted = { ...onTheWay, state: 'waiting', position: null, journey: null } as Watched;
const unknownArrival = { etaSeconds: null, etaLowSeconds: null, etaHighSeconds: null };
const at = (distanceMeters: number) => ({ journey: { isActive: true, distanceMeters } as LiveJourney });

const student: [string, Partial<Watched>, number, string, string][] = [
  ['on the way', {}, 0, 'Arriving in 4–7 min', 'Asha is on the way, 1.2 km away.'],
  [
    'without an estimate',
    unknownArrival,
    0,
    'Asha is on the way',
    '1.2 km away. The arrival time follows soon.',
  ],
  ['nearby', at(320), 0, 'Arriving in 4–7 min', 'Asha is nearby, 320 m away.'],
  [
    'at the door',
    { ...at(40), etaLowSeconds: 0, etaHighSeconds: 32 },
    0,
    'Arriving now',
    'Asha is nearby, 40 m away.',
  ],
  [
    'standing',
    { stillSeconds: 70 },
    0,
    'Arriving in 4–7 min',
    'Asha has been standing for 1 min, 1.2 km away.',
  ],
  ['late', {}, 5, 'Arriving in 4–7 min', 'Running about 5 min late.'],
  ['a little old', { state: 'delayed', ageMs: 28_000 }, 5, 'Arriving in 4–7 min', 'Position is 28 s old.'],
  [
    'stale',
    { ...unknownArrival, state: 'stale', ageMs: 65_000 },
    0,
    'Asha is on the way',
    'No update for 1 min. Asha may have no signal.',
  ],
  [
    'without GPS',
    { trainerProblem: 'noFix', ageMs: 40_000 },
    0,
    'Arriving in 4–7 min',
    'No update for 40 s. Asha’s phone has no GPS.',
  ],
  [
    'offline',
    { state: 'reconnecting', ageMs: 20_000 },
    0,
    'You are offline',
    'Asha was here 20 s ago. Connecting again …',
  ],
  [
    'before the start',
    notStarted,
    0,
    'Asha has not left yet',
    'You will see the way here as soon as the journey starts.',
  ],
  ['arrived', { state: 'ended', ended: { reason: 'arrived' } }, 0, 'Asha has arrived', 'Have a good lesson!'],
  [
    'cancelled',
    { state: 'ended', ended: { reason: 'cancelled' } },
    0,
    'Journey cancelled',
    'Asha is not coming this time.',
  ],
];

test.each(student)('a student reads in plain words: %s', (_what, changes, late, title, detail) => {
  expect(studentScreen({ ...onTheWay, ...changes }, 'Asha', late)).toMatchObject({ title, detail });
});

test('a trainer is late by how much the earliest arrival is after the first promise', () => {
  expect(minutesLate(600_000, 400_000, 500)).toBe(5);
  expect(minutesLate(600_000, 0, 500)).toBe(0);
});

test('a trainer reads first that the student sees nothing, and why', () => {
  const tracked = {
    state: 'tracking',
    problem: 'noFix',
    lastSent: null,
    lastError: null,
    ended: null,
  } as const;
  const { title, detail } = trainerScreen(tracked, { isDriving: true, isThere: false });
  expect([title, detail]).toEqual([
    'Your student can’t see you: no GPS',
    'Go outdoors, or turn location on.',
  ]);
});
