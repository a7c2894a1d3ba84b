import type { Clock } from './clock.js';

/** Calls back when a journey has reached its time limit, even without a network. */
export interface JourneyLimit {
  /** serverTime: the present or earlier, by the service's clock, never the phone's. The shortest time left counts. */
  update(expiresAt: string | null, serverTime: string | null): void;
  /** Forgets the journey. */
  cancel(): void;
}

export function journeyLimit(clock: Clock, reached: () => void): JourneyLimit {
  let journey: string | null = null;
  let endsAtMs = Infinity;
  let cancelAlarm: (() => void) | undefined;
  return {
    update(expiresAt, serverTime) {
      if (expiresAt !== journey) endsAtMs = Infinity;
      journey = expiresAt;
      const leftMs = Date.parse(String(expiresAt)) - Date.parse(String(serverTime));
      const endMs = clock.nowMs() + leftMs;
      if (!(endMs < endsAtMs)) return;
      endsAtMs = endMs;
      cancelAlarm?.();
      cancelAlarm = clock.after(leftMs, reached);
    },
    cancel() {
      cancelAlarm?.();
      journey = null;
    },
  };
}
