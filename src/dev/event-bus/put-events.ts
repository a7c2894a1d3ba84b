/**
 * The rules of EventBridge's PutEvents.
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 */
export const maxEntries = 10;
export const maxRequestBytes = 256 * 1024;

/** An entry before it is validated. */
export interface PutEventsEntry {
  Source?: unknown;
  DetailType?: unknown;
  Detail?: unknown;
  EventBusName?: unknown;
  Time?: unknown;
  Resources?: unknown;
}

/** A refused call: the SDK throws an exception of this name. */
export interface CallError {
  status: number;
  code: string;
  message: string;
}

/** A refused entry; others of its call may be accepted. */
export interface EntryError {
  ErrorCode: string;
  ErrorMessage: string;
}

export function readEntries(body: string): PutEventsEntry[] | CallError {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return { status: 400, code: 'SerializationException', message: 'The request body is not JSON.' };
  }
  const entries = isObject(parsed) ? parsed['Entries'] : undefined;
  if (!Array.isArray(entries) || !entries.every(isObject)) {
    return validationError(
      "Value at 'entries' failed to satisfy constraint: Member must be a list of structures",
    );
  }
  if (entries.length < 1 || entries.length > maxEntries) {
    const bound = entries.length < 1 ? 'greater than or equal to 1' : `less than or equal to ${maxEntries}`;
    return validationError(
      `Value at 'entries' failed to satisfy constraint: Member must have length ${bound}`,
    );
  }
  if (entries.reduce((sum, entry) => sum + entryBytes(entry), 0) > maxRequestBytes) {
    return validationError('Total size of the entries in the request is over the limit.');
  }
  return entries;
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-calculate-event-entry-size */
export function entryBytes(entry: PutEventsEntry): number {
  const resources: unknown[] = Array.isArray(entry.Resources) ? entry.Resources : [];
  const texts = [entry.Source, entry.DetailType, entry.Detail, ...resources];
  const timeBytes = entry.Time === undefined ? 0 : 14;
  return texts.reduce<number>(
    (sum, text) => sum + (typeof text === 'string' ? Buffer.byteLength(text) : 0),
    timeBytes,
  );
}

/** Why EventBridge would refuse the entry, if it would. */
export function entryError(entry: PutEventsEntry): EntryError | undefined {
  for (const name of ['Source', 'DetailType', 'Detail'] as const) {
    const value = entry[name];
    if (typeof value !== 'string' || value === '') {
      return invalidArgument(`Parameter ${name} is not valid. Reason: ${name} is a required argument.`);
    }
  }
  const source = String(entry.Source);
  if (source.startsWith('aws.')) {
    return {
      ErrorCode: 'NotAuthorizedForSourceException',
      ErrorMessage: `Not authorized for the source ${source}.`,
    };
  }
  if (source.length > 256 || String(entry.DetailType).length > 128) {
    return invalidArgument('Parameter Source or DetailType is not valid. Reason: it is too long.');
  }
  try {
    if (isObject(JSON.parse(String(entry.Detail)))) return undefined;
  } catch {
    // The same answer as for JSON that is not an object.
  }
  return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
}

function validationError(message: string): CallError {
  return { status: 400, code: 'ValidationException', message: `1 validation error detected: ${message}` };
}

function invalidArgument(message: string): EntryError {
  return { ErrorCode: 'InvalidArgument', ErrorMessage: message };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
