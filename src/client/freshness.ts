import type { LiveJourney } from './contract.js';
import type { Clock } from './clock.js';

/** The contract's limits at the ordinary cadence. */
const LIVE_UP_TO_MS = 15_000;
const DELAYED_UP_TO_MS = 60_000;
/** The service's nextPollMs at the ordinary cadence. */
const ORDINARY_POLL_MS = 5_500;
/** How much later than ordinary the service asks for updates at most. */
const MOST_RELAXED_MS = 10_000;
/** How often what the app shows is derived anew. */
const TICK_MS = 5_000;

/** How fresh a position is between two answers. It is late only after its update was due, which follows from nextPollMs. */
export interface Freshness {
  ageMs(): number;
  level(): 'live' | 'delayed' | 'stale';
  /** A new position, or a new state of the same one. */
  seen(journey: LiveJourney): void;
  /** The same position again. It is never younger than before: HTTP caches of phones repeat earlier answers. */
  seenAgain(ageMs: number): void;
  stop(): void;
}

/** aged: a limit was passed, or some seconds. */
export function freshnessBy(clock: Clock, aged: () => void): Freshness {
  let fixAtMs = 0;
  let relaxedMs = 0;
  let cancelAlarm: (() => void) | undefined;

  const ageMs = () => Math.round(clock.nowMs() - fixAtMs);
  const limitMs = () => (ageMs() - relaxedMs <= LIVE_UP_TO_MS ? LIVE_UP_TO_MS : DELAYED_UP_TO_MS);
  const setAlarm = () => {
    cancelAlarm?.();
    // One more millisecond, so that the limit has passed.
    const leftMs = limitMs() - ageMs() + relaxedMs + 1;
    cancelAlarm = clock.after(leftMs > 0 ? Math.min(leftMs, TICK_MS) : TICK_MS, () => {
      setAlarm();
      aged();
    });
  };

  return {
    ageMs,
    level() {
      if (limitMs() === LIVE_UP_TO_MS) return 'live';
      return ageMs() - relaxedMs <= DELAYED_UP_TO_MS ? 'delayed' : 'stale';
    },
    seen(journey) {
      const age = journey.ageMs ?? 0;
      fixAtMs = clock.nowMs() - age;
      const laterMs = journey.freshness === 'live' ? age + journey.nextPollMs - ORDINARY_POLL_MS : 0;
      relaxedMs = Math.min(Math.max(0, laterMs), MOST_RELAXED_MS);
      setAlarm();
    },
    seenAgain(age) {
      fixAtMs = Math.min(fixAtMs, clock.nowMs() - age);
      setAlarm();
    },
    stop: () => cancelAlarm?.(),
  };
}
