import { randomUUID } from 'node:crypto';
import type { Caller, Session } from '../../src/journeys/journey.js';
import type { ChangeListener, JourneyStore, LiveReading } from '../../src/journeys/ports.js';
import { RateLimiter } from '../../src/journeys/rate-limiter.js';
import { LiveReader } from '../../src/live/live-reader.js';
import { LiveService } from '../../src/live/live-service.js';
import type { LiveOutcome } from '../../src/live/live-state.js';
import { activeVersion, endedVersion, inactiveVersion } from '../../src/live/live-view.js';

const [sessionId, trainerId, studentId] = [randomUUID(), randomUUID(), randomUUID()];
const caller: Caller = { userId: studentId, role: 'student' };
const session: Session = { sessionId, trainerId, studentId, status: 'scheduled', home: null };
const before: LiveReading = { kind: 'inactive', session, knownMissing: false };
const startedAtMs = 1_800_000_000_000;
const journey = {
  sessionId,
  trainerId,
  studentId,
  startedAtMs,
  expiresAtMs: startedAtMs + 3_600_000,
  home: null,
};
const active: LiveReading = {
  kind: 'active',
  nowMs: startedAtMs + 1_000,
  journey,
  location: null,
  problem: null,
};
const ended: LiveReading = {
  kind: 'ended',
  journey: { sessionId, trainerId, studentId, endedAtMs: startedAtMs + 2_000, reason: 'cancelled' },
};

function versionOf(reading: LiveReading): string {
  switch (reading.kind) {
    case 'active':
      return activeVersion(reading);
    case 'ended':
      return endedVersion(reading.journey);
    case 'inactive':
      return inactiveVersion(trainerId);
  }
}

/** Polls a state that the caller knows; while it is read, it changes from the first reading to the second. */
async function pollWhileItChanges(first: LiveReading, second: LiveReading): Promise<LiveOutcome> {
  const readings = [first, second];
  let listener: ChangeListener | undefined;
  const store: Pick<JourneyStore, 'readLive'> = {
    readLive: () => {
      const reading = readings.shift() ?? second;
      if (reading === first) listener?.changed({ kind: 'lifecycle' });
      return Promise.resolve(reading);
    },
  };
  const guesses = new RateLimiter({ burst: 1, intervalMs: 1 });
  const cadence = () => ({ updateIntervalMs: 5_000, stretch: 1 });
  const reader = new LiveReader({
    store: store as JourneyStore,
    sessions: { find: () => Promise.resolve(session) },
    guesses,
    observer: { polled: () => undefined, positionTaken: () => undefined },
    staleEvents: false,
    cadence,
  });
  const changes = {
    isUp: true,
    follow: (_sessionId: string, its: ChangeListener) => {
      listener = its;
      return Promise.resolve();
    },
    unfollow: () => undefined,
  };
  const marks = { mark: () => undefined };
  const monotonicMs = () => performance.now();
  const live = new LiveService({ reader, changes, marks, guesses, cadence, monotonicMs });
  const knows = (version: string) => version === versionOf(first);
  return new Promise((resolve, reject) => {
    const poll = { caller, sessionId, seconds: 25, timeoutMs: 900, knows, answer: resolve, fail: reject };
    const waiting = live.wait(poll);
    setTimeout(() => {
      waiting?.cancel();
      reject(new Error('it waits on the state before the change'));
    }, 1_000).unref();
  });
}

test.each([
  ['a start', before, active, { isActive: true }],
  ['an end', active, ended, { isActive: false, endedReason: 'cancelled' }],
  ['the next start', ended, active, { isActive: true }],
])(
  'a poll that %s overtakes while the state is read gets the new state',
  async (_what, first, second, shown) => {
    const outcome = await pollWhileItChanges(first, second);
    expect(outcome.kind === 'live' && outcome.view()).toMatchObject(shown);
  },
);
