import { pino, type DestinationStream, type Logger } from 'pino';

/** Positions and secrets, which are redacted at any depth. */
const REDACTED = new Set([
  'latitude',
  'longitude',
  'location',
  'position',
  'home',
  'student_home_location',
  'studentHomeLocation',
  'authorization',
  'Authorization',
  'token',
  'password',
  'body',
]);

/** Ends the recursion into objects that contain themselves. */
const MAX_DEPTH = 6;

/** Writes JSON lines to standard output. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: { service: 'admin-service' },
      timestamp: pino.stdTimeFunctions.isoTime,
      // Not pino's redact option, which takes paths and is much slower.
      formatters: { level: (label) => ({ level: label }), log: (line) => redact(line, MAX_DEPTH) },
      // redact() has serialized errors already.
      serializers: { err: (error: unknown) => error },
    },
    ...(destination === undefined ? [] : [destination]),
  );
}

function redact(line: object, depth: number): Record<string, unknown> {
  const fields = Object.entries(line).filter(([name]) => !REDACTED.has(name));
  return Object.fromEntries(fields.map(([name, value]) => [name, redactValue(value, depth - 1)]));
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (value instanceof Error) return serializeError(value);
  if (depth === 0) return '[deeper]';
  return Array.isArray(value) ? value.map((item) => redactValue(item, depth - 1)) : redact(value, depth);
}

/** Omits other properties: drivers attach a command's arguments to their errors. */
function serializeError(error: Error): object {
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  return {
    type: error.name,
    message: error.message,
    ...code,
    stack: error.stack,
    ...(error.cause !== undefined && { cause: serializeCause(error.cause) }),
  };
}

function serializeCause(cause: unknown): unknown {
  return cause instanceof Error ? serializeError(cause) : String(cause);
}
