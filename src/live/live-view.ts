import type { LiveJourney, Location } from '../contract/responses.js';
import { estimateArrival } from './arrival-estimate.js';
import {
  ENDED_POLL_MS,
  idlePollMs,
  nextPollMs,
  ordinaryCadence,
  extraIntervalMs,
  type Cadence,
} from './cadence.js';
import { distanceMeters } from '../journeys/distance.js';
import { isoTime } from '../journeys/iso-time.js';
import type { ActiveState, EndedJourney, LiveLocation } from '../journeys/journey.js';

const LIVE_UP_TO_MS = 15_000;
const DELAYED_UP_TO_MS = 60_000;
/** In m/s: a trainer who stood at the fix may have walked on since. */
const MIN_SPEED = 1.5;
/** In m/s, where the phone gave no speed: 50 km/h, the usual limit in a city. */
const ASSUMED_SPEED = 13.9;
const nothingKnown = {
  location: null,
  lastUpdate: null,
  startedAt: null,
  expiresAt: null,
  distanceMeters: null,
  etaSeconds: null,
  etaLowSeconds: null,
  etaHighSeconds: null,
  ageMs: null,
  freshness: null,
  uncertaintyMeters: null,
  stillSeconds: null,
  trainerProblem: null,
} as const;

/** What a student sees of an active journey at the time nowMs. */
export function activeView(
  { journey, location, problem, nowMs }: ActiveState,
  cadence: Cadence = ordinaryCadence,
): LiveJourney {
  const view: LiveJourney = {
    sessionId: journey.sessionId,
    trainerId: journey.trainerId,
    isActive: true,
    ...nothingKnown,
    startedAt: isoTime(journey.startedAtMs),
    expiresAt: isoTime(journey.expiresAtMs),
    trainerProblem: problem,
    nextPollMs: nextPollMs(location, nowMs, cadence),
  };
  if (location === null) return view;

  const ageMs = fixAgeMs(location, nowMs);
  view.location = shownLocation(location);
  view.lastUpdate = view.location.timestamp;
  view.ageMs = ageMs;
  view.freshness = freshness(ageMs - extraIntervalMs(location, cadence));
  view.uncertaintyMeters = uncertaintyMeters(location, ageMs);
  if (location.stillSeconds !== undefined) view.stillSeconds = Math.round(location.stillSeconds);
  if (journey.home !== null) {
    view.distanceMeters = Math.round(distanceMeters(location, journey.home));
    const arrival = estimateArrival(location, journey.home, nowMs);
    view.etaSeconds = arrival?.seconds ?? null;
    view.etaLowSeconds = arrival?.lowSeconds ?? null;
    view.etaHighSeconds = arrival?.highSeconds ?? null;
  }
  return view;
}

export function fixAgeMs(location: LiveLocation, nowMs: number): number {
  return Math.max(0, nowMs - location.fixMs);
}

export function endedView(journey: EndedJourney): LiveJourney {
  return {
    ...inactiveView(journey.sessionId, journey.trainerId),
    nextPollMs: ENDED_POLL_MS,
    endedReason: journey.reason,
    endedAt: isoTime(journey.endedAtMs),
  };
}

export function inactiveView(
  sessionId: string,
  trainerId: string | null,
  cadence: Cadence = ordinaryCadence,
): LiveJourney {
  return { sessionId, trainerId, isActive: false, ...nothingKnown, nextPollMs: idlePollMs(cadence) };
}

/** Names the state, not its age: changes with each position, still heartbeat, new problem, start and end, and only then. */
export function activeVersion({ journey, location, problem }: Omit<ActiveState, 'nowMs'>): string {
  const position = location === null ? 'none' : location.timestampMs.toString(36);
  const version = `${journey.startedAtMs.toString(36)}-${position}`;
  return problem === null ? version : `${version}-${problem}`;
}

export function endedVersion({ endedAtMs }: EndedJourney): string {
  return `ended-${endedAtMs.toString(36)}`;
}

export function inactiveVersion(trainerId: string | null): string {
  return `none-${trainerId ?? ''}`;
}

function shownLocation(location: LiveLocation): Location {
  const shown: Location = {
    latitude: location.latitude,
    longitude: location.longitude,
    timestamp: isoTime(location.timestampMs),
  };
  if (location.accuracy !== undefined) shown.accuracy = location.accuracy;
  if (location.speed !== undefined) shown.speed = location.speed;
  if (location.heading !== undefined) shown.heading = location.heading;
  if (location.sequence !== undefined) shown.sequence = location.sequence;
  return shown;
}

/** The accuracy plus the distance that the trainer may have covered since the fix; null without an accuracy. */
function uncertaintyMeters(location: LiveLocation, ageMs: number): number | null {
  if (location.accuracy === undefined) return null;
  const speed = Math.max(location.speed ?? ASSUMED_SPEED, MIN_SPEED);
  return Math.round(location.accuracy + (speed * ageMs) / 1000);
}

/** lateMs: the fix's age less the delay that the service itself asked for. */
function freshness(lateMs: number): LiveJourney['freshness'] {
  if (lateMs <= LIVE_UP_TO_MS) return 'live';
  return lateMs <= DELAYED_UP_TO_MS ? 'delayed' : 'stale';
}
