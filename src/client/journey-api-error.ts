import type { EndReason, ErrorCode, ErrorDetails } from './contract.js';

/**
 * The service's codes and the SDK's own: no answer (NETWORK_ERROR), none in time (DEADLINE_EXCEEDED), aborted by the
 * caller's signal (ABORTED), no token from the app (TOKEN_UNAVAILABLE), an answer that is not the service's
 * (INVALID_ANSWER), such as a captive portal's page.
 */
export type JourneyErrorCode =
  ErrorCode | 'NETWORK_ERROR' | 'DEADLINE_EXCEEDED' | 'ABORTED' | 'TOKEN_UNAVAILABLE' | 'INVALID_ANSWER';

/** Why a call was rejected. */
export class JourneyApiError extends Error {
  override readonly name = 'JourneyApiError';

  constructor(
    /** The HTTP status; 0 where there was no answer or no request. */
    readonly status: number,
    readonly code: JourneyErrorCode,
    message: string,
    readonly details?: ErrorDetails | undefined,
    /** For support: identifies the request in the service's log. */
    readonly requestId: string | null = null,
    /** From Retry-After; 0 where there is none. */
    readonly retryAfterMs = 0,
  ) {
    super(message);
  }

  /** One of the details by its name. */
  detail(name: string): unknown {
    return (this.details as Record<string, unknown> | undefined)?.[name];
  }
}

/** What an error means for what was sent: retry later, drop it (stale: because of its order), or end everything. */
export type Verdict = 'retry' | 'drop' | 'stale' | 'end';

export function verdictOf({ status, code }: JourneyApiError): Verdict {
  if (code === 'LOCATION_STALE') return 'stale';
  if (status === 0) return code === 'VALIDATION_FAILED' || code === 'ABORTED' ? 'drop' : 'retry';
  // A gateway's page is an outage, whatever its status; it must never look like the end of a journey.
  if (code === 'INVALID_ANSWER' || status < 400 || status >= 500 || status === 408 || status === 429) {
    return 'retry';
  }
  return status in reasonBy || status === 410 ? 'end' : 'drop';
}

/** Why the tracker or watcher ended: how the journey ended, what the service refused, or closed by the app. */
export type EndedBecause =
  EndReason | 'forbidden' | 'notFound' | 'unauthenticated' | 'refused' | 'unknown' | 'closed';

export interface Ended {
  reason: EndedBecause;
  /** The answer that was the reason, if any. */
  error?: JourneyApiError;
}

export function endOf(error: JourneyApiError): Ended {
  const reason =
    error.status === 410 ? (error.detail('reason') as EndReason | undefined) : reasonBy[error.status];
  return { reason: reason ?? 'refused', error };
}

const reasonBy: Partial<Record<number, EndedBecause>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'notFound',
};
