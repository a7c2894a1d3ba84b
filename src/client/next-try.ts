import type { Clock } from './clock.js';
import { aborted } from './deadline.js';

const BASE_MS = 1_000;
const LONGEST_MS = 60_000;
/** So that not all who were told the same time come at that time. */
const RETRY_AFTER_JITTER = 0.25;
/** Everybody in a tunnel or under a mast is back online at once. */
const BACK_ONLINE_WITHIN_MS = 3_000;

/**
 * When the next request may be made: when the service asks for it, or after failures with full-jitter exponential backoff
 * (Brooker, "Exponential Backoff And Jitter", 2015). One of these for each thing that is tried.
 */
export interface NextTry {
  /** Milliseconds from now; 0 where it is due. */
  inMs(): number;
  isBackingOff(): boolean;
  /** The service has answered; the next request is wanted so many milliseconds from now. */
  answered(nextInMs: number): void;
  /** @returns in how many milliseconds the next try is due */
  failed(retryAfterMs: number): number;
  /** The network is back: whoever waits because of a failure comes sooner, but not before what Retry-After allows. */
  backOnline(): void;
  /** Calls back when the time has come; one callback at a time, the newest; undefined: none. */
  whenDue(callback: (() => void) | undefined): void;
}

export function nextTry({ clock, random }: { clock: Clock; random: () => number }): NextTry {
  let dueAtMs = -Infinity;
  /** By Retry-After. */
  let notBeforeMs = -Infinity;
  let failures = 0;
  let ring: (() => void) | undefined;
  let cancelAlarm: (() => void) | undefined;

  const inMs = () => Math.max(0, dueAtMs - clock.nowMs());
  const whenDue = (callback: (() => void) | undefined) => {
    cancelAlarm?.();
    ring = callback;
    cancelAlarm =
      callback &&
      clock.after(inMs(), () => {
        ring = undefined;
        callback();
      });
  };
  const dueIn = (ms: number) => {
    dueAtMs = Math.max(clock.nowMs() + ms, notBeforeMs);
    whenDue(ring);
  };

  return {
    inMs,
    whenDue,
    isBackingOff: () => failures > 0,
    answered(nextInMs) {
      failures = 0;
      notBeforeMs = -Infinity;
      dueIn(nextInMs);
    },
    failed(retryAfterMs) {
      notBeforeMs = clock.nowMs() + retryAfterMs * (1 + RETRY_AFTER_JITTER * random());
      dueIn(random() * Math.min(LONGEST_MS, BASE_MS * 2 ** failures++));
      return inMs();
    },
    backOnline() {
      if (failures > 0) dueIn(random() * BACK_ONLINE_WITHIN_MS);
    },
  };
}

/** @throws JourneyApiError ABORTED by the signal */
export function untilDue(next: NextTry, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      next.whenDue(undefined);
      reject(aborted());
    };
    signal.addEventListener('abort', stop);
    next.whenDue(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
    if (signal.aborted) stop();
  });
}
