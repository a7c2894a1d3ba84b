import type { LiveLocation } from '../journeys/journey.js';

/** What the times of updates and polls are made of. */
export interface Cadence {
  /** The shortest and the ordinary time between two updates of a trainer. */
  updateIntervalMs: number;
  /** How far updates and polls are put off by overload; 1: not at all. */
  stretch: number;
}

export const ordinaryCadence: Cadence = { updateIntervalMs: 5_000, stretch: 1 };

/** No update is put off beyond that, unless the ordinary interval is longer. */
const LONGEST_MS = 15_000;
/** What an update may take to the service, and a little for the phone's timer, which is late and never early. */
const WAY_MS = 500;
const SHORTEST_POLL_MS = 1_000;
/** An update that is late already is asked for again after this share of its lateness. */
const RETRY_SHARE = 0.5;
/** While there is no position to be in step with. */
const IDLE_POLL_MS = 4_000;
/** After the end only another start is news. */
export const ENDED_POLL_MS = LONGEST_MS;

/** How much later than ordinary the next update was asked for, in milliseconds. */
export function relaxedByMs(location: LiveLocation, cadence: Cadence): number {
  return askedForMs(location, cadence) - cadence.updateIntervalMs;
}

/**
 * When a poll is worth while, in milliseconds from nowMs: just after the next update is due; where that is late, soon, and
 * then less and less often. location: the last position, or null where there is none.
 */
export function nextPollMs(location: LiveLocation | null, nowMs: number, cadence: Cadence): number {
  if (location === null) return idlePollMs(cadence);
  // Under overload a phone that has not heard of it yet will with its next update.
  const stretchedMs = Math.min(longestMs(cadence), cadence.updateIntervalMs * cadence.stretch);
  const dueMs = location.timestampMs + Math.max(askedForMs(location, cadence), stretchedMs) + WAY_MS;
  const leftMs = dueMs - nowMs;
  if (leftMs > 0) return Math.ceil(Math.min(Math.max(leftMs, SHORTEST_POLL_MS), longestMs(cadence) + WAY_MS));
  const retryMs = Math.max(SHORTEST_POLL_MS, -leftMs * RETRY_SHARE) * cadence.stretch;
  return Math.ceil(Math.min(retryMs, longestMs(cadence)));
}

/** When a poll is worth while, in milliseconds, where no journey is active or none has a position yet. */
export function idlePollMs({ stretch }: Cadence): number {
  return Math.ceil(Math.min(IDLE_POLL_MS * stretch, LONGEST_MS));
}

/** When the next update after this one was asked for. */
function askedForMs({ nextUpdateMs }: LiveLocation, cadence: Cadence): number {
  const { updateIntervalMs } = cadence;
  return Math.min(Math.max(nextUpdateMs ?? updateIntervalMs, updateIntervalMs), longestMs(cadence));
}

function longestMs({ updateIntervalMs }: Cadence): number {
  return Math.max(updateIntervalMs, LONGEST_MS);
}
