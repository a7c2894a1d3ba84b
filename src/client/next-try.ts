import type { Clock } from './clock.js';
import { aborted } from './deadline.js';

const BASE_MS = 1_000;
/** After an outage everyone is served again within this time, by fewer requests than ordinarily. */
const LONGEST_BACKOFF_MS = 16_000;
/** Of Retry-After, and of the time until the next ordinary request. */
const LONGEST_ASKED_MS = 60_000;
/** So that phones with the same Retry-After do not retry at the same time. */
const RETRY_AFTER_JITTER = 0.25;
/** Everyone in a tunnel or under a mast is back online at the same time. */
const BACK_ONLINE_WITHIN_MS = 3_000;

/**
 * When the next request may be made: when the service asks for it, or after failures with full-jitter exponential backoff
 * (Brooker, "Exponential Backoff And Jitter", 2015). One instance per kind of request.
 */
export interface NextTry {
  /** Milliseconds from now; 0 when it is due. */
  inMs(): number;
  /** The service has answered, and wants the next request in that many milliseconds. */
  answered(nextInMs: number): void;
  /** @returns milliseconds until the next try */
  failed(retryAfterMs: number): number;
  /** The network is back: a pending retry is made sooner, but not before Retry-After. */
  backOnline(): void;
  /** Somebody waits for it: it is due at once, but not before Retry-After. */
  now(): void;
  /** Calls back when it is due; a new callback replaces the last one, undefined removes it. */
  whenDue(callback: (() => void) | undefined): void;
}

export function nextTry({ clock, random }: { clock: Clock; random: () => number }): NextTry {
  let dueAtMs = 0;
  /** From Retry-After. */
  let notBeforeMs = 0;
  let failures = 0;
  let callWhenDue: (() => void) | undefined;
  let cancelAlarm: (() => void) | undefined;

  const inMs = () => Math.max(0, dueAtMs - clock.nowMs());
  const whenDue = (callback: (() => void) | undefined) => {
    cancelAlarm?.();
    callWhenDue = callback;
    cancelAlarm =
      callback &&
      clock.after(inMs(), () => {
        callWhenDue = undefined;
        callback();
      });
  };
  const dueIn = (ms: number) => {
    dueAtMs = Math.max(clock.nowMs() + ms, notBeforeMs);
    whenDue(callWhenDue);
  };

  return {
    inMs,
    whenDue,
    answered(nextInMs) {
      failures = 0;
      notBeforeMs = 0;
      dueIn(Math.min(nextInMs, LONGEST_ASKED_MS));
    },
    failed(retryAfterMs) {
      notBeforeMs =
        clock.nowMs() + Math.min(retryAfterMs, LONGEST_ASKED_MS) * (1 + RETRY_AFTER_JITTER * random());
      dueIn(random() * Math.min(LONGEST_BACKOFF_MS, BASE_MS * 2 ** failures++));
      return inMs();
    },
    backOnline() {
      if (failures > 0) dueIn(random() * BACK_ONLINE_WITHIN_MS);
    },
    now() {
      dueIn(0);
    },
  };
}

/** @throws JourneyApiError ABORTED when the signal aborts */
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
