import type { ErrorCode, ErrorDetails, LiveJourney } from './contract.js';
import { JourneyApiError } from './journey-api-error.js';
import type { Received } from './received.js';

export interface LiveAnswer {
  /** Null: nothing has changed since etag. */
  journey: LiveJourney | null;
  etag: string | null;
  /** When to poll next; null where the service did not say. */
  nextPollMs: number | null;
  /** Of the position, also where nothing has changed; null where the service did not say. */
  ageMs: number | null;
  /** The service waits for changes. */
  wasWaitGranted: boolean;
}

interface Envelope {
  success?: unknown;
  data?: unknown;
  message?: unknown;
  error?: { code?: unknown; requestId?: unknown; details?: unknown } | null;
}

/** @throws JourneyApiError INVALID_ANSWER where the answer is not the service's */
export function dataOf(received: Received): object {
  const { success, data } = envelopeOf(received);
  if (success === true && typeof data === 'object' && data !== null) return data;
  throw errorOf(received);
}

/**
 * Gateways answer in JSON too; only the service's own envelope refuses anything. Reads Retry-After in seconds; as a date,
 * which the service never sends, it would need a correct clock.
 */
export function errorOf(received: Received): JourneyApiError {
  const { status, headers } = received;
  const { success, message, error } = envelopeOf(received);
  const own = success === false && status >= 400 && typeof error?.code === 'string' ? error : undefined;
  return new JourneyApiError(
    status,
    (own?.code ?? 'INVALID_ANSWER') as ErrorCode,
    own ? String(message) : `not the service's answer: ${status}`,
    own?.details as ErrorDetails,
    (own?.requestId ?? headers.get('X-Request-Id')) as string | null,
    Number(headers.get('Retry-After')) * 1_000 || 0,
  );
}

/** @throws JourneyApiError INVALID_ANSWER */
export function liveAnswer(received: Received): LiveAnswer {
  const { status, headers } = received;
  const journey = status === 304 ? null : (dataOf(received) as LiveJourney);
  const nextPollMs = journey?.nextPollMs ?? Number(headers.get('Next-Poll-Ms'));
  const age = headers.get('Location-Age-Ms');
  return {
    journey,
    etag: headers.get('ETag'),
    nextPollMs: nextPollMs > 0 ? nextPollMs : null,
    ageMs: journey?.ageMs ?? (age ? Number(age) : null),
    wasWaitGranted: headers.get('Preference-Applied')?.includes('wait=') ?? false,
  };
}

function envelopeOf({ text }: Received): Envelope {
  try {
    return Object(JSON.parse(text)) as Envelope;
  } catch {
    return {};
  }
}
