import type { Clock } from './clock.js';

/** Calls back when a journey has run into its limit, also where the network is away and no answer can say so. */
export interface JourneyLimit {
  /** serverTime: now, or earlier, by the service's clock; the phone's is not asked. The shortest time left counts. */
  told(expiresAt: string | null, serverTime: string | null): void;
  cancel(): void;
}

export function journeyLimit(clock: Clock, reached: () => void): JourneyLimit {
  let journey: string | null = null;
  let endsAtMs = Infinity;
  let cancelAlarm: (() => void) | undefined;
  return {
    told(expiresAt, serverTime) {
      if (expiresAt !== journey) endsAtMs = Infinity;
      journey = expiresAt;
      const leftMs = Date.parse(String(expiresAt)) - Date.parse(String(serverTime));
      const endMs = clock.nowMs() + leftMs;
      if (!(endMs < endsAtMs)) return;
      endsAtMs = endMs;
      cancelAlarm?.();
      cancelAlarm = clock.after(leftMs, reached);
    },
    cancel: () => cancelAlarm?.(),
  };
}
