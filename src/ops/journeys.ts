import { CorruptStateError } from '../journeys/errors.js';
import { isoTime } from '../journeys/iso-time.js';
import type { Keys } from '../store/keys.js';
import { parseActive, parseLocation } from '../store/stored-values.js';
import { ofAllPartitions, type Operated } from './operated.js';
import { age, table } from './table.js';

const HEADERS = ['session', 'trainer', 'student', 'started', 'expires', 'last position'];

interface Expiry {
  keys: Keys;
  sessionId: string;
  expiresAtMs: number;
}

/** One session's journey, or the journeys that end first. */
export async function listJourneys(
  operated: Operated,
  { sessionId, limit }: { sessionId: string | null; limit: number },
): Promise<string[]> {
  const expiries = sessionId === null ? await nextExpiries(operated, limit) : [expiryOf(operated, sessionId)];
  const rows = await Promise.all(expiries.map((expiry) => rowOf(operated, expiry)));
  // Without a row: ended since it was listed.
  return table(
    HEADERS,
    rows.filter((row) => row !== null),
  );
}

function expiryOf({ partitions }: Operated, sessionId: string): Expiry {
  return { keys: partitions.keysOf(sessionId), sessionId, expiresAtMs: NaN };
}

async function nextExpiries(operated: Operated, limit: number): Promise<Expiry[]> {
  const expiries = await ofAllPartitions(operated, async (keys) => {
    const flat = await operated.redis.zrange(keys.expiries, '0', String(limit - 1), 'WITHSCORES');
    return flat.flatMap((sessionId, index) =>
      index % 2 === 0 ? [{ keys, sessionId, expiresAtMs: Number(flat[index + 1]) }] : [],
    );
  });
  return expiries.sort((one, other) => one.expiresAtMs - other.expiresAtMs).slice(0, limit);
}

async function rowOf(operated: Operated, { keys, sessionId, expiresAtMs }: Expiry): Promise<string[] | null> {
  const { redis, journeyTtlSeconds, nowMs } = operated;
  try {
    const key = keys.active(sessionId);
    const [json] = await redis.mget(key);
    if (json === null || json === undefined)
      return Number.isNaN(expiresAtMs) ? null : [sessionId, '-', '-', '-', isoTime(expiresAtMs), 'has ended'];
    const journey = parseActive(key, json, journeyTtlSeconds);
    const { trainerId, studentId, startedAtMs } = journey;
    const locationKey = keys.location(trainerId, sessionId);
    const [location] = await redis.mget(locationKey);
    const lastPosition = location ? age(nowMs, parseLocation(locationKey, location).location.fixMs) : 'none';
    return [
      sessionId,
      trainerId,
      studentId,
      isoTime(startedAtMs),
      isoTime(journey.expiresAtMs),
      lastPosition,
    ];
  } catch (error) {
    if (!(error instanceof CorruptStateError)) throw error;
    return [sessionId, '-', '-', '-', '-', error.message];
  }
}
