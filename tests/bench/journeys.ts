import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { JourneyRules } from '../../src/journey/journey.js';
import { RedisJourneyStore } from '../../src/redis/journey-store.js';
import type { JourneyScripts } from '../../src/redis/scripts.js';
import { tokenFor } from '../support/tokens.js';

/** Production's rules, but a rate that takes an update of each journey whenever the load has come round. */
export const rules: JourneyRules = {
  journeyTtlSeconds: 3_600,
  locationTtlSeconds: 300,
  endedTtlSeconds: 300,
  updateIntervalMs: 1,
  updateToleranceMs: 1_000,
  maxSpeedKmh: 120,
  arrivalRadiusMeters: 150,
  coarseAccuracyMeters: 100,
};

export interface BenchJourney {
  sessionId: string;
  trainerId: string;
  token: string;
}

/** Journeys that are under way, each with its trainer's token, written as the service writes them. */
export async function startJourneys(redis: Redis & JourneyScripts, count: number): Promise<BenchJourney[]> {
  const store = new RedisJourneyStore({
    redis,
    rules,
    commandTimeoutMs: 60_000,
    observe: () => undefined,
    onHealed: () => undefined,
  });
  return Promise.all(
    Array.from({ length: count }, async () => {
      const [sessionId, trainerId, studentId] = [randomUUID(), randomUUID(), randomUUID()];
      const home = { latitude: 12.97, longitude: 77.59 };
      const session = { sessionId, trainerId, studentId, status: 'scheduled', home };
      await store.start({ trainerId, studentId, session }, null);
      return { sessionId, trainerId, token: await tokenFor(trainerId, 'trainer') };
    }),
  );
}
