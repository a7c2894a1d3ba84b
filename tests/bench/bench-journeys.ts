import { createHash } from 'node:crypto';
import type { JourneyRules } from '../../src/journeys/journey.js';
import { TokenIssuer } from '../../src/dev/tokens.js';
import { SECRET } from '../support/tokens.js';

export interface BenchJourney {
  sessionId: string;
  trainerId: string;
  studentId: string;
}

/** The student's home; the load's positions lie 550 m from it. */
export const home = { latitude: 12.9666, longitude: 77.5945 };

export const tokens = new TokenIssuer(SECRET);

/** Production's rules. */
export const productionRules: JourneyRules = {
  journeyTtlSeconds: 3_600,
  locationTtlSeconds: 300,
  endedTtlSeconds: 300,
  updateIntervalMs: 5_000,
  updateToleranceMs: 1_000,
  maxSpeedKmh: 120,
  arrivalRadiusMeters: 150,
  coarseAccuracyMeters: 100,
  nearbyRadiusMeters: 500,
};

/** The same, but a rate that takes an update of each journey whenever the load has come round. */
export const saturationRules: JourneyRules = { ...productionRules, updateIntervalMs: 1 };

/** Ids as random as real ones, and the same in every process, so that no list of them goes from one to another. */
export function journeyAt(index: number): BenchJourney {
  const digest = createHash('sha512').update(`journey ${index}`).digest('hex');
  return {
    sessionId: uuidOf(digest.slice(0, 32)),
    trainerId: uuidOf(digest.slice(32, 64)),
    studentId: uuidOf(digest.slice(64, 96)),
  };
}

function uuidOf(hex: string): string {
  const part = (from: number, to: number) => hex.slice(from, to);
  return `${part(0, 8)}-${part(8, 12)}-4${part(13, 16)}-a${part(17, 20)}-${part(20, 32)}`;
}
