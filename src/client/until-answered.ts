import { verdictOf, type JourneyApiError } from './journey-api-error.js';
import type { JourneyApi } from './journey-api.js';
import { nextTry, untilDue } from './next-try.js';

/**
 * Repeats one action of the user with one idempotency key until it is answered. giveUp: no further try, but the request in
 * flight goes on. inMs: milliseconds until the next try.
 * @throws JourneyApiError that refuses it, or ABORTED
 */
export async function untilAnswered<Answer>(
  api: JourneyApi,
  call: (idempotencyKey: string) => Promise<Answer>,
  giveUp: AbortSignal,
  retrying: (error: JourneyApiError, inMs: number) => void,
): Promise<Answer> {
  const key = api.newIdempotencyKey();
  const next = nextTry(api);
  const stopListening = api.whenOnline(() => {
    next.backOnline();
  });
  try {
    for (;;) {
      try {
        return await call(key);
      } catch (thrown) {
        const error = thrown as JourneyApiError;
        if (verdictOf(error) !== 'retry') throw error;
        const inMs = next.failed(error.retryAfterMs);
        if (!giveUp.aborted) retrying(error, inMs);
        await untilDue(next, giveUp);
      }
    }
  } finally {
    stopListening();
  }
}

/** Without an unhandled rejection for callers that rely on the events. */
export function handled<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined);
  return promise;
}
