import type { Clock } from './clock.js';
import { JourneyApiError } from './journey-api-error.js';

/**
 * The work's result, unless the deadline (Infinity: none) or the caller's signal comes first, even if the work ignores its signal.
 * React Native has neither AbortSignal.timeout nor AbortSignal.any.
 * @throws JourneyApiError DEADLINE_EXCEEDED or ABORTED, or what the work throws
 */
export async function withinDeadline<Result>(
  clock: Clock,
  ms: number,
  caller: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  if (caller?.aborted) throw aborted();
  const controller = new AbortController();
  let giveUp: (error: JourneyApiError) => void = () => undefined;
  const givenUp = new Promise<never>((_resolve, reject) => {
    giveUp = reject;
  });
  const abort = () => {
    giveUp(aborted());
  };
  caller?.addEventListener('abort', abort);
  const alarm = () => {
    giveUp(late(ms));
  };
  const cancelAlarm = ms < Infinity ? clock.after(ms, alarm) : undefined;
  try {
    return await Promise.race([work(controller.signal), givenUp]);
  } finally {
    cancelAlarm?.();
    caller?.removeEventListener('abort', abort);
    // No effect on completed work.
    controller.abort();
  }
}

export function late(ms: number): JourneyApiError {
  return new JourneyApiError(0, 'DEADLINE_EXCEEDED', `no answer in ${ms} ms`);
}

export function aborted(): JourneyApiError {
  return new JourneyApiError(0, 'ABORTED', 'given up');
}
