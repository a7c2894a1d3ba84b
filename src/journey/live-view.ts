import type { LiveJourney, Location } from '../contract/answers.js';
import { distanceMeters } from './distance.js';
import type { EndedJourney, Journey, LiveLocation } from './journey.js';

const LIVE_UP_TO_MS = 15_000;
const DELAYED_UP_TO_MS = 60_000;
/** A poll a little more often than the trainer's updates, so that none is seen much later than it came. */
const NEXT_POLL_MS = 4_000;
/** Below walking pace the speed says nothing about the arrival: a traffic light, a parking place. */
const SLOWEST_HONEST_SPEED = 1.5;
/** What a trainer whose speed is not known may be doing meanwhile: 50 km/h, a city's limit, in m/s. */
const ASSUMED_SPEED = 13.9;
/**
 * Driving distance over straight-line distance. Boscoe, Henry and Zdeb, "A Nationwide Comparison of Driving Distance
 * Versus Straight-Line Distance to Hospitals", The Professional Geographer 64(2), 2012: 1.417 on average.
 */
const DETOUR_FACTOR = 1.417;

const nothingKnown = {
  location: null,
  lastUpdate: null,
  startedAt: null,
  expiresAt: null,
  distanceMeters: null,
  etaSeconds: null,
  ageMs: null,
  freshness: null,
  uncertaintyMeters: null,
  nextPollMs: NEXT_POLL_MS,
} as const;

/** What a student sees of a journey that goes on, at the time nowMs. */
export function activeView(journey: Journey, location: LiveLocation | null, nowMs: number): LiveJourney {
  const view: LiveJourney = {
    sessionId: journey.sessionId,
    trainerId: journey.trainerId,
    isActive: true,
    ...nothingKnown,
    startedAt: isoTime(journey.startedAtMs),
    expiresAt: isoTime(journey.expiresAtMs),
  };
  if (location === null) return view;

  const ageMs = Math.max(0, nowMs - location.fixMs);
  view.location = shownLocation(location);
  view.lastUpdate = view.location.timestamp;
  view.ageMs = ageMs;
  view.freshness = ageMs <= LIVE_UP_TO_MS ? 'live' : ageMs <= DELAYED_UP_TO_MS ? 'delayed' : 'stale';
  view.uncertaintyMeters = uncertaintyMeters(location, ageMs);
  if (journey.home !== null) {
    const distance = distanceMeters(location, journey.home);
    view.distanceMeters = Math.round(distance);
    view.etaSeconds = view.freshness === 'stale' ? null : etaSeconds(distance, location, ageMs);
  }
  return view;
}

export function endedView(journey: EndedJourney): LiveJourney {
  return {
    ...inactiveView(journey.sessionId, journey.trainerId),
    endedReason: journey.reason,
    endedAt: isoTime(journey.endedAtMs),
  };
}

export function inactiveView(sessionId: string, trainerId: string | null): LiveJourney {
  return { sessionId, trainerId, isActive: false, ...nothingKnown };
}

/** Names the state that a view shows, not its age: it changes with each position, start and end, and with nothing else. */
export function activeVersion(journey: Journey, location: LiveLocation | null): string {
  return `${journey.startedAtMs.toString(36)}-${location === null ? 'none' : location.timestampMs.toString(36)}`;
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
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

/** The accuracy plus the way that the trainer can have gone since the fix; null where the phone gave no accuracy. */
function uncertaintyMeters(location: LiveLocation, ageMs: number): number | null {
  if (location.accuracy === undefined) return null;
  const speed = Math.max(location.speed ?? ASSUMED_SPEED, SLOWEST_HONEST_SPEED);
  return Math.round(location.accuracy + (speed * ageMs) / 1000);
}

/** Seconds to the home at the present speed on streets; null while the trainer stands or the phone gives no speed. */
function etaSeconds(distance: number, location: LiveLocation, ageMs: number): number | null {
  if (location.speed === undefined || location.speed < SLOWEST_HONEST_SPEED) return null;
  return Math.max(0, Math.round((distance * DETOUR_FACTOR) / location.speed - ageMs / 1000));
}
