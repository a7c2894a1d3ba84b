import type { Clock } from './clock.js';

/** Phones that have a fix deliver it more often. */
const SILENT_INTERVALS = 3;
const LONGEST_MS = 60_000;

/**
 * Calls back when a phone is silent: after some intervals, or where positions come in batches after twice the time between
 * the last two, up to a minute.
 */
export interface SilenceAlarm {
  heard(intervalMs: number): void;
  cancel(): void;
}

export function silenceAlarm(clock: Clock, silent: () => void): SilenceAlarm {
  let heardAtMs = clock.nowMs();
  let cancel: (() => void) | undefined;
  return {
    heard(intervalMs) {
      const gapMs = clock.nowMs() - heardAtMs;
      heardAtMs += gapMs;
      cancel?.();
      cancel = clock.after(Math.max(SILENT_INTERVALS * intervalMs, Math.min(2 * gapMs, LONGEST_MS)), silent);
    },
    cancel: () => cancel?.(),
  };
}
