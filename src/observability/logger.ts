import { pino, type DestinationStream, type Logger } from 'pino';

/** Never in a log, wherever a line carries them: positions and tokens. */
const secret = [
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
];

/** JSON lines on standard output, with fields instead of sentences. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: { service: 'admin-service' },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secret.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), remove: true },
      serializers: { err: describeError, error: describeError },
    },
    ...(destination === undefined ? [] : [destination]),
  );
}

/**
 * An error's name, message, code and stack, and the same of its cause; nothing else, because drivers hang their
 * command's arguments on theirs.
 */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  const cause = error.cause === undefined ? {} : { cause: describeError(error.cause) };
  return { type: error.name, message: error.message, ...code, stack: error.stack, ...cause };
}
