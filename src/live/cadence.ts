import { LONGEST_UPDATE_INTERVAL_MS, type LiveLocation } from '../journeys/journey.js';

/** What the times of updates and polls depend on. */
export interface Cadence {
  /** The ordinary and shortest interval between two updates of a trainer. */
  updateIntervalMs: number;
  /** Factor by which overload slows updates and polls down; 1: not at all. */
  stretch: number;
}

export const ordinaryCadence: Cadence = { updateIntervalMs: 5_000, stretch: 1 };

/** For the update's network time and the phone's timer, which is never early. */
const UPDATE_LATENCY_MS = 500;
const MIN_POLL_MS = 1_000;
/** A late update is polled for again after this share of its lateness. */
const RETRY_SHARE = 0.5;
const IDLE_POLL_MS = 4_000;
export const ENDED_POLL_MS = LONGEST_UPDATE_INTERVAL_MS;

/** How much longer than the ordinary interval the phone was asked to wait before its next update. */
export function extraIntervalMs(location: LiveLocation, cadence: Cadence): number {
  return requestedIntervalMs(location, cadence) - cadence.updateIntervalMs;
}

/**
 * When to poll next, in milliseconds from nowMs: just after the next update is due; soon if it is late, then less and less
 * often. location: the last position, or null.
 */
export function nextPollMs(location: LiveLocation | null, nowMs: number, cadence: Cadence): number {
  if (location === null) return idlePollMs(cadence);
  // A phone learns of the overload from its next response.
  const stretchedMs = Math.min(maxIntervalMs(cadence), cadence.updateIntervalMs * cadence.stretch);
  const intervalMs = Math.max(requestedIntervalMs(location, cadence), stretchedMs);
  const dueInMs = location.timestampMs + intervalMs + UPDATE_LATENCY_MS - nowMs;
  if (dueInMs > 0) {
    return Math.ceil(Math.min(Math.max(dueInMs, MIN_POLL_MS), maxIntervalMs(cadence) + UPDATE_LATENCY_MS));
  }
  const retryMs = Math.max(MIN_POLL_MS, -dueInMs * RETRY_SHARE) * cadence.stretch;
  return Math.ceil(Math.min(retryMs, maxIntervalMs(cadence)));
}

/** When to poll next, in milliseconds, without an active journey or before its first position. */
export function idlePollMs({ stretch }: Cadence): number {
  return Math.ceil(Math.min(IDLE_POLL_MS * stretch, LONGEST_UPDATE_INTERVAL_MS));
}

function requestedIntervalMs({ nextUpdateMs }: LiveLocation, cadence: Cadence): number {
  const { updateIntervalMs } = cadence;
  return Math.min(Math.max(nextUpdateMs ?? updateIntervalMs, updateIntervalMs), maxIntervalMs(cadence));
}

function maxIntervalMs({ updateIntervalMs }: Cadence): number {
  return Math.max(updateIntervalMs, LONGEST_UPDATE_INTERVAL_MS);
}
