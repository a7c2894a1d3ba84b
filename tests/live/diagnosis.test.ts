import type { HistoryEntry, JourneyHistory } from '../../src/journeys/journey-history.js';
import { diagnose, diagnoseEnd, type Evidence } from '../../src/live/diagnosis.js';

const nowMs = Date.parse('2026-12-01T10:30:00.000Z');
const startedAtMs = nowMs - 600_000;
const quiet: JourneyHistory = {
  ...{ startedAtMs, end: null, accepted: 20, lastSequence: 20 },
  ...{ lastUpdateMs: nowMs - 4_000, nextUpdateMs: 5_000, lastPreciseMs: nowMs - 4_000 },
  ...{ refused: {}, reanchors: 0, staleEvents: null, entries: [] },
};
const location = { latitude: 1, longitude: 2, accuracy: 5, timestampMs: nowMs - 4_000, fixMs: nowMs - 4_000 };
const healthy: Evidence = {
  ...{ nowMs, startedAtMs, hasHome: true, location, problem: null, history: quiet },
  ...{ watchedMs: nowMs - 10_000, watchRefusedMs: null },
  ...{ coarseAccuracyMeters: 100, maxSpeedKmh: 120, updateIntervalMs: 5_000 },
};

function refused(entry: Partial<HistoryEntry>, accepted = 20): Partial<Evidence> {
  const times = { atMs: nowMs - 20_000, lastAtMs: nowMs - 2_000 };
  const entries = [{ kind: 'refused' as const, ...times, count: 4, acceptedBefore: 18, ...entry }];
  return { history: { ...quiet, accepted, entries } };
}
const stale = { code: 'LOCATION_STALE' as const };
const limited = { code: 'RATE_LIMITED' as const };

test.each<[verdict: string, evidence: Partial<Evidence>, message: RegExp]>([
  ['ok', {}, /student sees them/],
  [
    'noUpdateReceived',
    {
      history: { ...quiet, lastUpdateMs: nowMs - 90_000 },
      location: { ...location, timestampMs: nowMs - 90_000 },
    },
    /sent nothing for 90 s/,
  ],
  ['noUpdateReceived', { history: null, location: null }, /nothing since the start, 600 s/],
  [
    'waitingForFirstPosition',
    { startedAtMs: nowMs - 8_000, watchedMs: nowMs - 1_000, history: null, location: null },
    /started 8 s ago/,
  ],
  ['phoneProblem', { problem: 'permission' }, /allow it in the settings/],
  ['refusedMocked', refused({ code: 'LOCATION_MOCKED', reason: 'input' }), /^4 of the last 6 /],
  [
    'refusedImplausible',
    refused({ code: 'LOCATION_IMPLAUSIBLE', reason: 'speed', overLimit: 812 }),
    /over 120 km\/h, the last one by 812 m/,
  ],
  ['secondPhone', refused({ ...stale, reason: 'sequence' }), /second phone/],
  ['refusedStale', refused({ ...stale, reason: 'sequence' }, 18), /counts below sequence 20/],
  ['refusedStale', refused({ ...stale, reason: 'age' }), /old positions/],
  ['refusedRate', refused({ ...limited, reason: 'tooFrequent' }), /more often than every 5 s/],
  ['refusedRate', refused({ ...limited, reason: 'otherSession' }), /another session/],
  ['refusedInvalid', refused({ code: 'VALIDATION_FAILED', reason: 'input' }), /invalid/],
  ['ok', refused({ ...limited, reason: 'tooFrequent', count: 1 }), /./],
  ['ok', refused({ ...limited, reason: 'tooFrequent', lastAtMs: nowMs - 61_000 }), /./],
  [
    'coarseOnly',
    { location: { ...location, accuracy: 900 }, history: { ...quiet, lastPreciseMs: nowMs - 90_000 } },
    /within 900 m/,
  ],
  ['ok', { location: { ...location, accuracy: 900 } }, /./],
  ['homeUnreadable', { hasHome: false }, /no readable home/],
  ['studentNotPolling', { watchedMs: nowMs - 61_000 }, /not asked for the position/],
  ['ok', { history: null }, /./],
])('%s: %#', (verdict, evidence, message) => {
  const found = diagnose({ ...healthy, ...evidence });
  expect(found).toEqual([{ verdict, message: expect.stringMatching(message) as string }]);
});

test('the trainer comes before the student, and silence before its reason', () => {
  const found = diagnose({
    ...{ ...healthy, problem: 'noFix', hasHome: false, watchedMs: null, watchRefusedMs: nowMs - 1_000 },
    ...{ history: null, location: null },
  });
  const verdicts = [
    'noUpdateReceived',
    'phoneProblem',
    'homeUnreadable',
    'studentForbidden',
    'studentNotPolling',
  ];
  expect(found.map(({ verdict }) => verdict)).toEqual(verdicts);
});

test.each([
  ['arrived', 'trainer', /^The journey ended at 2026-12-01T10:30:00.000Z: the trainer arrived\.$/],
  ['cancelled', 'admin', /an admin cancelled it/],
  ['cancelled', 'trainer', /the trainer cancelled it/],
  ['cancelled', undefined, /it was cancelled/],
  ['timeout', undefined, /time limit/],
] as const)('ended: %s by %s', (reason, by, message) => {
  expect(diagnoseEnd(reason, nowMs, by)).toMatchObject({
    verdict: 'ended',
    message: expect.stringMatching(message) as string,
  });
});
