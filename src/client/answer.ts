import type { ErrorAnswer } from '../contract/errors.js';
import { JourneyApiError } from './journey-api-error.js';
import type { Received } from './received.js';

/** @throws JourneyApiError INVALID_ANSWER where the answer is not the service's */
export function dataOf(received: Received): object {
  const data = bodyOf(received).data;
  if (data) return data;
  throw errorOf(received);
}

/** Reads Retry-After in seconds; as a date, which the service never sends, it would need a correct clock. */
export function errorOf(received: Received): JourneyApiError {
  const { status, headers } = received;
  const { message, error } = bodyOf(received);
  return new JourneyApiError(
    status,
    error?.code ?? 'INVALID_ANSWER',
    message ?? `not the service's answer: ${status}`,
    error?.details,
    error?.requestId ?? headers.get('X-Request-Id'),
    Number(headers.get('Retry-After')) * 1_000 || 0,
  );
}

function bodyOf({ text }: Received): Partial<ErrorAnswer> & { data?: object } {
  try {
    return Object(JSON.parse(text)) as object;
  } catch {
    return {};
  }
}
