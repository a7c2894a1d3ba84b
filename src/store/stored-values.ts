import { z } from 'zod';
import { endReasons } from '../contract/events.js';
import { Uuid } from '../contract/identifiers.js';
import { CorruptStateError } from '../journeys/errors.js';
import type { EndedJourney, Journey, LiveLocation, Session } from '../journeys/journey.js';

/**
 * The JSON values that other services read too. A value may carry more fields (a newer version's) and lack those that
 * were added later (an older version's).
 */
const Instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const Latitude = z.number().min(-90).max(90);
const Longitude = z.number().min(-180).max(180);
const Optional = z.number().nullish();

export const HomeLocation = z.object({
  latitude: Latitude,
  longitude: Longitude,
  address: z.string().optional().catch(undefined),
});

const ActiveValue = z.object({
  sessionId: Uuid,
  trainerId: Uuid,
  studentId: Uuid,
  startedAt: Instant,
  expiresAt: Instant.optional(),
  studentHomeLocation: HomeLocation.nullish(),
});

/** As scripts/includes/approach.lua writes it: closing speed, pace, unsteadiness, seconds watched. */
const ApproachValue = z.tuple([z.number(), z.number().min(0), z.number().min(0), z.number().min(0)]);
const ReferenceValue = z.object({ latitude: Latitude, longitude: Longitude, fixMs: z.number() });

/**
 * The last four only foretell, so a value that cannot be read is none. Every poll reads one: without a transform a field it
 * takes 2.3 instead of 2.9 µs.
 */
const LocationValue = z.object({
  latitude: Latitude,
  longitude: Longitude,
  accuracy: Optional,
  speed: Optional,
  heading: Optional,
  sequence: Optional,
  timestamp: z.string().regex(/^\d{4}-\d\d-\d\dT/),
  fixMs: Optional,
  nextUpdateMs: z.number().optional().catch(undefined),
  stillSeconds: z.number().min(0).optional().catch(undefined),
  approach: ApproachValue.optional().catch(undefined),
  reference: ReferenceValue.optional().catch(undefined),
});

const EndedValue = z.object({
  sessionId: Uuid,
  trainerId: Uuid,
  studentId: Uuid,
  endedAt: Instant,
  reason: z.enum(endReasons),
});

const MetaValue = z.object({
  trainerId: Uuid.nullable(),
  studentId: Uuid.nullable(),
  status: z.string(),
  studentHomeLocation: HomeLocation.nullish().catch(null),
});

const FirstStart = z.object({ trainerId: Uuid, studentId: Uuid, startedAt: Instant, expiresAt: Instant });
const FirstEnd = z.object({ endedAt: Instant, distance: z.int() });

/** @throws CorruptStateError naming the key */
export function parseActive(key: string, json: string, journeyTtlSeconds: number): Journey {
  const own = ownActive(json);
  if (own !== null) return own;
  const value = parse(key, json, ActiveValue);
  return {
    sessionId: value.sessionId,
    trainerId: value.trainerId,
    studentId: value.studentId,
    startedAtMs: value.startedAt,
    expiresAtMs: value.expiresAt ?? value.startedAt + journeyTtlSeconds * 1000,
    home: value.studentHomeLocation ?? null,
  };
}

/** @throws CorruptStateError naming the key */
export function parseLocation(key: string, json: string): LiveLocation {
  const stored = jsonOf(json);
  const value = isOwnLocation(stored) ? stored : check(key, stored, LocationValue);
  const timestampMs = Date.parse(value.timestamp);
  if (Number.isNaN(timestampMs)) throw new CorruptStateError(key, 'timestamp');
  const fixMs = value.fixMs ?? timestampMs;
  return {
    latitude: value.latitude,
    longitude: value.longitude,
    accuracy: value.accuracy ?? undefined,
    speed: value.speed ?? undefined,
    heading: value.heading ?? undefined,
    sequence: value.sequence ?? undefined,
    timestampMs,
    fixMs,
    nextUpdateMs: value.nextUpdateMs,
    stillSeconds: value.stillSeconds,
    approach: approachOf(value),
  };
}

/**
 * Whether it is what scripts/record_positions.lua writes of an exact position. Every poll and every change reads one, and
 * the schema, which takes others' values as well, takes 2 µs more.
 */
function isOwnLocation(stored: unknown): stored is z.output<typeof LocationValue> {
  if (typeof stored !== 'object' || stored === null) return false;
  const { latitude, longitude, accuracy, speed, heading, sequence } = stored as Record<string, unknown>;
  const { timestamp, fixMs, nextUpdateMs, stillSeconds, approach, reference } = stored as Record<
    string,
    unknown
  >;
  return (
    isWithin(latitude, 90) &&
    isWithin(longitude, 180) &&
    isNumberOrNone(accuracy) &&
    isNumberOrNone(speed) &&
    isNumberOrNone(heading) &&
    isNumberOrNone(sequence) &&
    typeof timestamp === 'string' &&
    typeof fixMs === 'number' &&
    typeof nextUpdateMs === 'number' &&
    (stillSeconds === undefined || isAtLeastZero(stillSeconds)) &&
    (approach === undefined || isApproach(approach)) &&
    reference === undefined
  );
}

function isApproach(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length === 4 &&
    typeof value[0] === 'number' &&
    isAtLeastZero(value[1]) &&
    isAtLeastZero(value[2]) &&
    isAtLeastZero(value[3])
  );
}

function isWithin(value: unknown, limit: number): boolean {
  return typeof value === 'number' && value >= -limit && value <= limit;
}

function isNumberOrNone(value: unknown): boolean {
  return value === undefined || typeof value === 'number';
}

function isAtLeastZero(value: unknown): boolean {
  return typeof value === 'number' && value >= 0;
}

function approachOf(value: z.output<typeof LocationValue>): LiveLocation['approach'] {
  if (value.approach === undefined) return undefined;
  const [closingSpeed, pace, unsteadiness, watchedSeconds] = value.approach;
  // A coarse position has the last exact one, of which its approach still tells, as its reference.
  return { reference: value.reference, closingSpeed, pace, unsteadiness, watchedSeconds };
}

/** @throws CorruptStateError naming the key */
export function parseEnded(key: string, json: string): EndedJourney {
  const { endedAt, ...ended } = parse(key, json, EndedValue);
  return { ...ended, endedAtMs: endedAt };
}

/** Null where the cached value cannot be read: a cache that is broken is a cache that is empty. */
export function parseMeta(sessionId: string, json: string): Session | null {
  const result = MetaValue.safeParse(jsonOf(json));
  if (!result.success) return null;
  const { studentHomeLocation, ...session } = result.data;
  return { sessionId, ...session, home: studentHomeLocation ?? null };
}

export function formatMeta(session: Session): string {
  const { trainerId, studentId, status, home } = session;
  return JSON.stringify({ trainerId, studentId, status, studentHomeLocation: home });
}

/** @throws CorruptStateError naming the key */
export function parseFirstStart(key: string, json: string): z.output<typeof FirstStart> {
  return parse(key, json, FirstStart);
}

/** @throws CorruptStateError naming the key */
export function parseFirstEnd(key: string, json: string): z.output<typeof FirstEnd> {
  return parse(key, json, FirstEnd);
}

/** journey:active as scripts/start_journey.lua writes it. */
const OWN_ACTIVE =
  /^\{"sessionId":"([\da-f-]{36})","trainerId":"([\da-f-]{36})","studentId":"([\da-f-]{36})","startedAt":"([\dT:.Z-]{24})","expiresAt":"([\dT:.Z-]{24})","status":"in_progress","studentHomeLocation":(?:null|\{"latitude":(-?[\d.]+),"longitude":(-?[\d.]+)\})\}$/;

/** Half of the schema's 2.3 µs, and every poll reads one; null where another writer has written it. */
function ownActive(json: string): Journey | null {
  const [, sessionId, trainerId, studentId, startedAt, expiresAt, latitude, longitude] =
    OWN_ACTIVE.exec(json) ?? [];
  if (sessionId === undefined || trainerId === undefined || studentId === undefined) return null;
  const startedAtMs = Date.parse(startedAt ?? '');
  const expiresAtMs = Date.parse(expiresAt ?? '');
  const home = latitude === undefined ? null : { latitude: Number(latitude), longitude: Number(longitude) };
  const isSane = startedAtMs <= expiresAtMs && (home === null || HomeLocation.safeParse(home).success);
  return isSane ? { sessionId, trainerId, studentId, startedAtMs, expiresAtMs, home } : null;
}

function parse<Schema extends z.ZodType>(key: string, json: string, schema: Schema): z.output<Schema> {
  return check(key, jsonOf(json), schema);
}

function check<Schema extends z.ZodType>(key: string, value: unknown, schema: Schema): z.output<Schema> {
  const result = schema.safeParse(value);
  if (!result.success)
    throw new CorruptStateError(key, result.error.issues.map((issue) => issue.path.join('.')).join(', '));
  return result.data;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
