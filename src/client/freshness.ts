import type { LiveJourney } from '../contract/responses.js';
import type { Clock } from './clock.js';

/** The contract's limits at the ordinary cadence. */
const LIVE_UP_TO_MS = 15_000;
const DELAYED_UP_TO_MS = 60_000;
/** The service's nextPollMs at the ordinary cadence. */
const ORDINARY_POLL_MS = 5_500;
/** How much later than ordinary the service asks for updates at most. */
const MOST_RELAXED_MS = 10_000;

/**
 * How fresh a position is between two answers: a 304 does not carry its age. A position counts as late only after its
 * update was due, which follows from nextPollMs.
 */
export interface Freshness {
  ageMs(): number;
  level(): 'live' | 'delayed' | 'stale';
  /** isNew: a position other than in the last answer. */
  seen(journey: LiveJourney, isNew: boolean): void;
  stop(): void;
}

export function freshnessBy(clock: Clock, levelChanged: () => void): Freshness {
  let fixAtMs = 0;
  let relaxedMs = 0;
  let cancelAlarm: (() => void) | undefined;

  const ageMs = () => Math.round(clock.nowMs() - fixAtMs);
  const limitMs = () => (ageMs() - relaxedMs <= LIVE_UP_TO_MS ? LIVE_UP_TO_MS : DELAYED_UP_TO_MS);
  const setAlarm = () => {
    cancelAlarm?.();
    const leftMs = limitMs() - ageMs() + relaxedMs;
    if (leftMs < 0) return;
    // One more millisecond, so that the limit has passed.
    cancelAlarm = clock.after(leftMs + 1, () => {
      setAlarm();
      levelChanged();
    });
  };

  return {
    ageMs,
    level() {
      if (limitMs() === LIVE_UP_TO_MS) return 'live';
      return ageMs() - relaxedMs <= DELAYED_UP_TO_MS ? 'delayed' : 'stale';
    },
    seen(journey, isNew) {
      const age = journey.ageMs ?? 0;
      fixAtMs = clock.nowMs() - age;
      if (isNew) {
        const laterMs = journey.freshness === 'live' ? age + journey.nextPollMs - ORDINARY_POLL_MS : 0;
        relaxedMs = Math.min(Math.max(0, laterMs), MOST_RELAXED_MS);
      }
      setAlarm();
    },
    stop: () => cancelAlarm?.(),
  };
}
