export interface Caller {
  userId: string;
  role: 'trainer' | 'student' | 'admin';
}

/** As a phone sends it; values may be of any type. */
export interface UpdateBody {
  sessionId: string;
  latitude?: unknown;
  longitude?: unknown;
  accuracy?: unknown;
  speed?: unknown;
  heading?: unknown;
  sequence?: unknown;
  ageMs?: unknown;
  mocked?: unknown;
  still?: unknown;
  problem?: unknown;
}

export type Call =
  | { kind: 'start' | 'arrived' | 'stop'; sessionId: string; caller: Caller; key?: string | undefined }
  | { kind: 'update'; sessionId: string; caller: Caller; body: UpdateBody }
  /** knows: the state of the caller's If-None-Match, by the model's name. */
  | { kind: 'live'; sessionId: string; caller: Caller; knows?: string | undefined };

/** A value, or a condition where the contract leaves it open. */
export type Wanted = string | number | boolean | null | undefined | Predicate | { [field: string]: Wanted };
export type Predicate = (value: unknown) => boolean;

export interface ExpectedAnswer {
  status: number;
  code?: string;
  details?: Record<string, Wanted>;
  data?: Record<string, Wanted>;
  headers?: Record<string, Wanted>;
}

export interface ReceivedAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: unknown;
}

export function differences(expected: ExpectedAnswer, received: ReceivedAnswer): string[] {
  const body = (received.body ?? {}) as Record<string, unknown>;
  const error = (body['error'] ?? {}) as Record<string, unknown>;
  return [
    ...compared('status', expected.status, received.status),
    ...(received.status === 304 ? [] : compared('success', expected.code === undefined, body['success'])),
    ...compared('code', expected.code, error['code']),
    ...compared('details', expected.details ?? {}, error['details'] ?? {}),
    ...compared('data', expected.data ?? {}, body['data'] ?? {}),
    ...compared('headers', expected.headers ?? {}, received.headers),
  ];
}

/** Unknown fields are allowed. A field that must be absent is wanted as undefined. */
export function compared(path: string, wanted: Wanted, value: unknown): string[] {
  if (typeof wanted === 'function') return wanted(value) ? [] : [`${path} is ${shown(value)}`];
  if (typeof wanted !== 'object' || wanted === null) {
    return wanted === value ? [] : [`${path} is ${shown(value)}, and should be ${shown(wanted)}`];
  }
  if (typeof value !== 'object' || value === null)
    return [`${path} is ${shown(value)}, and should be an object`];
  return Object.entries(wanted).flatMap(([field, inner]) =>
    compared(`${path}.${field}`, inner, (value as Record<string, unknown>)[field]),
  );
}

function shown(value: unknown): string {
  return value === undefined ? 'absent' : JSON.stringify(value);
}
