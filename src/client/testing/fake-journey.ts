import type { EndReason, LiveJourney, Location, TrainerProblem } from '../contract.js';

/** Degrees WGS 84, metres, metres per second, degrees clockwise from north. */
export type Place = Omit<Location, 'timestamp'>;

export const LOCATION_TTL_MS = 300_000;
const JOURNEY_TTL_MS = 3_600_000;
const ENDED_TTL_MS = 300_000;
const INTERVAL_MS = 5_000;
const TOLERANCE_MS = 1_000;
const LONGEST_INTERVAL_MS = 15_000;
const METERS_PER_DEGREE = 111_195;

/** What the service knows of a journey; times in milliseconds by the service's clock. */
export class FakeJourney {
  readonly startedAtMs: number;
  readonly expiresAtMs: number;
  place: Place | null = null;
  problem: TrainerProblem | null = null;
  fixAtMs = 0;
  /** When the place came, or was confirmed by `still`. */
  seenAtMs = 0;
  /** The last accepted update, and its answer for a repeat. */
  last: { sequence: number | undefined; text: string; timestamp: string } | null = null;
  ended: { reason: EndReason; atMs: number } | null = null;
  #dueAtMs = 0;

  constructor(nowMs: number) {
    this.startedAtMs = nowMs;
    this.expiresAtMs = nowMs + JOURNEY_TTL_MS;
  }

  isActive(nowMs: number): boolean {
    if (nowMs >= this.expiresAtMs) this.ended ??= { reason: 'timeout', atMs: this.expiresAtMs };
    return this.ended === null;
  }

  isForgotten(nowMs: number): boolean {
    return !this.isActive(nowMs) && nowMs - (this.ended?.atMs ?? 0) >= ENDED_TTL_MS;
  }

  /** Milliseconds until the next update is allowed (GCRA); 0: now, and its slot is used. */
  useSlot(nowMs: number): number {
    const waitMs = this.#dueAtMs - TOLERANCE_MS - nowMs;
    if (waitMs > 0) return waitMs;
    this.#dueAtMs = Math.max(nowMs, this.#dueAtMs) + INTERVAL_MS;
    return 0;
  }

  /** Changes with the state, and only then. */
  version(nowMs: number): string {
    if (!this.isActive(nowMs)) return `ended-${this.ended?.atMs}`;
    const seen = this.#isShown(nowMs) ? this.seenAtMs : 'none';
    return [this.startedAtMs, seen, this.problem ?? ''].join('-');
  }

  view(nowMs: number, home: Place): Partial<LiveJourney> {
    if (!this.isActive(nowMs)) {
      const { reason, atMs } = this.ended as NonNullable<FakeJourney['ended']>;
      return { nextPollMs: LONGEST_INTERVAL_MS, endedReason: reason, endedAt: iso(atMs) };
    }
    const times = { startedAt: iso(this.startedAtMs), expiresAt: iso(this.expiresAtMs) };
    const active = { isActive: true, ...times, trainerProblem: this.problem };
    const { place } = this;
    if (place === null || !this.#isShown(nowMs)) return active;
    const ageMs = nowMs - this.fixAtMs;
    const timestamp = iso(this.seenAtMs);
    const speed = Math.max(place.speed ?? 13.9, 1.5);
    const uncertainty = place.accuracy === undefined ? null : place.accuracy + (speed * ageMs) / 1_000;
    const dueInMs = this.seenAtMs + INTERVAL_MS + 500 - nowMs;
    const pollMs = dueInMs > 0 ? dueInMs : Math.min(-dueInMs / 2, LONGEST_INTERVAL_MS);
    return {
      ...active,
      location: { ...place, timestamp },
      lastUpdate: timestamp,
      distanceMeters: Math.round(metersBetween(place, home)),
      ageMs,
      freshness: ageMs <= 15_000 ? 'live' : ageMs <= 60_000 ? 'delayed' : 'stale',
      uncertaintyMeters: uncertainty === null ? null : Math.round(uncertainty),
      nextPollMs: Math.ceil(Math.max(1_000, pollMs)),
    };
  }

  #isShown(nowMs: number): boolean {
    return this.place !== null && nowMs - this.seenAtMs < LOCATION_TTL_MS;
  }
}

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** On a plane at the latitude of the first, which is exact enough within a city. */
export function metersBetween(a: Place, b: Place): number {
  const east = (b.longitude - a.longitude) * Math.cos((a.latitude * Math.PI) / 180);
  return Math.hypot(b.latitude - a.latitude, east) * METERS_PER_DEGREE;
}
