export interface Caller {
  userId: string;
  role: 'trainer' | 'student' | 'admin';
}

/** As a phone sends it; anything may be in it. */
export interface UpdateBody {
  sessionId: string;
  latitude: unknown;
  longitude: unknown;
  accuracy?: unknown;
  speed?: unknown;
  heading?: unknown;
  sequence?: unknown;
  ageMs?: unknown;
  mocked?: unknown;
}

export type Call =
  | { kind: 'start' | 'arrived' | 'stop'; sessionId: string; caller: Caller; key?: string | undefined }
  | { kind: 'update'; sessionId: string; caller: Caller; body: UpdateBody }
  /** knows: the state that the caller's If-None-Match names. */
  | { kind: 'live'; sessionId: string; caller: Caller; knows?: string | undefined };

/** A value, or what has to be true of it where the contract leaves it open. */
export type Wanted = string | number | boolean | null | undefined | Predicate | { [field: string]: Wanted };
export type Predicate = (value: unknown) => boolean;

/** What the contract says of an answer. */
export interface ExpectedAnswer {
  status: number;
  code?: string;
  details?: Record<string, Wanted>;
  data?: Record<string, Wanted>;
  headers?: Record<string, Wanted>;
}

export interface HeardAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: unknown;
}

/** What is wrong with an answer; nothing where it is as expected. */
export function differences(expected: ExpectedAnswer, heard: HeardAnswer): string[] {
  const body = (heard.body ?? {}) as Record<string, unknown>;
  const error = (body['error'] ?? {}) as Record<string, unknown>;
  return [
    ...compared('status', expected.status, heard.status),
    ...(heard.status === 304 ? [] : compared('success', expected.code === undefined, body['success'])),
    ...compared('code', expected.code, error['code']),
    ...compared('details', expected.details ?? {}, error['details'] ?? {}),
    ...compared('data', expected.data ?? {}, body['data'] ?? {}),
    ...compared('headers', expected.headers ?? {}, heard.headers),
  ];
}

/** Fields that are not wanted may be there: a contract grows. Those that must not be there are wanted as undefined. */
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
