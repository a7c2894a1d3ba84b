import type { ErrorCode, ErrorDetails } from '../contract.js';
import type { FakeAnswer } from './fake-network.js';

type Headers = Record<string, string>;

/** The service's answer with this data. */
export function success(status: number, data: object, headers: Headers = {}): FakeAnswer {
  return { status, headers, body: { success: true, data } };
}

/** The service's refusal of a call. */
export function refusal(
  status: number,
  code: ErrorCode,
  { details, headers = {} }: { details?: ErrorDetails; headers?: Headers } = {},
): FakeAnswer {
  const error = { code, requestId: 'fake-request', ...(details && { details }) };
  return { status, headers, body: { success: false, message: `Refused: ${code}.`, error } };
}
