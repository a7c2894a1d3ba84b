/** The Fastify contender's parsed values: a validated body, and what the live script returns. */
import type { Coordinates } from '../../../src/journeys/distance.js';
import type { Journey, LiveLocation, Position } from '../../../src/journeys/journey.js';
import type { ScriptReply } from '../../../src/store/scripts.js';

export interface UpdateBody extends Coordinates {
  sessionId: string;
  accuracy?: number | null;
  speed?: number | null;
  heading?: number | null;
  sequence?: number;
  ageMs?: number;
}

interface StoredJourney {
  sessionId: string;
  trainerId: string;
  studentId: string;
  startedAt: string;
  expiresAt: string;
  studentHomeLocation: Coordinates | null;
}

interface StoredLocation extends Position {
  timestamp: string;
  fixMs: number;
  approach?: [closingSpeed: number, pace: number, unsteadiness: number, watchedSeconds: number];
}

export function positionOf({
  latitude,
  longitude,
  accuracy,
  speed,
  heading,
  sequence,
}: UpdateBody): Position {
  return {
    latitude,
    longitude,
    accuracy: measured(accuracy),
    speed: measured(speed),
    heading: measured(heading),
    sequence,
  };
}

/** Phones say "unknown" as null or as a negative number. */
function measured(value: number | null | undefined): number | undefined {
  return value === null || value === undefined || value < 0 ? undefined : value;
}

/** The reply of scripts/read_live.lua for an active journey. */
export function liveOf(reply: ScriptReply): {
  journey: Journey;
  location: LiveLocation | null;
  nowMs: number;
} {
  const [, nowMs, active, position] = reply;
  const stored = JSON.parse(String(active)) as StoredJourney;
  const journey = {
    sessionId: stored.sessionId,
    trainerId: stored.trainerId,
    studentId: stored.studentId,
    startedAtMs: Date.parse(stored.startedAt),
    expiresAtMs: Date.parse(stored.expiresAt),
    home: stored.studentHomeLocation,
  };
  return { journey, location: locationOf(position), nowMs: Number(nowMs) };
}

function locationOf(json: unknown): LiveLocation | null {
  if (typeof json !== 'string') return null;
  const { approach, timestamp, fixMs, ...position } = JSON.parse(json) as StoredLocation;
  const location = { ...position, fixMs, timestampMs: Date.parse(timestamp) };
  if (approach === undefined) return location;
  const [closingSpeed, pace, unsteadiness, watchedSeconds] = approach;
  return { ...location, approach: { closingSpeed, pace, unsteadiness, watchedSeconds } };
}
