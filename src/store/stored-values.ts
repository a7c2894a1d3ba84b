import { z } from 'zod';
import { endReasons } from '../contract/events.js';
import { Uuid } from '../contract/identifiers.js';
import { trainerProblems, type TrainerProblem } from '../contract/requests.js';
import { CorruptStateError } from '../journeys/errors.js';
import { parseHome } from '../journeys/home.js';
import type { EndedJourney, Journey, LiveLocation, Session } from '../journeys/journey.js';

// Other services read these values too. A newer version may have added fields, an older one lack some.
const Instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const Latitude = z.number().min(-90).max(90);
const Longitude = z.number().min(-180).max(180);
const Optional = z.number().nullish();

const HomeLocation = z.unknown().optional().transform(parseHome);

const ActiveValue = z.object({
  sessionId: Uuid,
  trainerId: Uuid,
  studentId: Uuid,
  startedAt: Instant,
  // Optional fields that another version wrote in another form count as absent.
  expiresAt: Instant.optional().catch(undefined),
  studentHomeLocation: HomeLocation,
});

/** See scripts/includes/approach.lua. */
const ApproachValue = z.tuple([z.number(), z.number().min(0), z.number().min(0), z.number().min(0)]);
const ReferenceValue = z.object({ latitude: Latitude, longitude: Longitude, fixMs: z.number() });

const Problem = z.enum(trainerProblems).nullable().catch(null);

/** The last six are the service's own: one that cannot be parsed counts as absent. */
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
  stoodMs: z.number().optional().catch(undefined),
  problem: Problem,
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
  studentHomeLocation: HomeLocation,
});

const FirstStart = z.object({ trainerId: Uuid, studentId: Uuid, startedAt: Instant, expiresAt: Instant });
const FirstEnd = z.object({ endedAt: Instant, distance: z.int() });

/** @throws CorruptStateError naming the key */
export function parseActive(key: string, json: string, journeyTtlSeconds: number): Journey {
  const value = parse(key, json, ActiveValue);
  return {
    sessionId: value.sessionId,
    trainerId: value.trainerId,
    studentId: value.studentId,
    startedAtMs: value.startedAt,
    expiresAtMs: value.expiresAt ?? value.startedAt + journeyTtlSeconds * 1000,
    home: value.studentHomeLocation,
  };
}

/** @throws CorruptStateError naming the key */
export function parseLocation(
  key: string,
  json: string,
): { location: LiveLocation; problem: TrainerProblem | null } {
  const value = parse(key, json, LocationValue);
  return { location: locationOf(key, value), problem: value.problem };
}

function locationOf(key: string, value: z.output<typeof LocationValue>): LiveLocation {
  const timestampMs = Date.parse(value.timestamp);
  if (Number.isNaN(timestampMs)) throw new CorruptStateError(key, 'timestamp');
  const fixMs = value.stoodMs ?? value.fixMs ?? timestampMs;
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

function approachOf(value: z.output<typeof LocationValue>): LiveLocation['approach'] {
  if (value.approach === undefined) return undefined;
  const [closingSpeed, pace, unsteadiness, watchedSeconds] = value.approach;
  // The approach of a coarse position is the last exact one's, which is its reference.
  return { reference: value.reference, closingSpeed, pace, unsteadiness, watchedSeconds };
}

export function parseProblem(value: unknown): TrainerProblem | null {
  return Problem.parse(value);
}

/** @throws CorruptStateError naming the key */
export function parseEnded(key: string, json: string): EndedJourney {
  const { endedAt, ...ended } = parse(key, json, EndedValue);
  return { ...ended, endedAtMs: endedAt };
}

/** Null where the cached value cannot be parsed: that is a miss. */
export function parseMeta(sessionId: string, json: string): Session | null {
  const result = MetaValue.safeParse(jsonOf(json));
  if (!result.success) return null;
  const { studentHomeLocation, ...session } = result.data;
  return { sessionId, ...session, home: studentHomeLocation };
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

function parse<Schema extends z.ZodType>(key: string, json: string, schema: Schema): z.output<Schema> {
  const result = schema.safeParse(jsonOf(json));
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
