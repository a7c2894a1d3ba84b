import type { Redis } from 'ioredis';
import pg from 'pg';
import type { JourneyRules } from '../../src/journeys/journey.js';
import { RedisJourneyStore } from '../../src/store/journey-store.js';
import { OUTBOX_KEY } from '../../src/store/keys.js';
import type { JourneyScripts } from '../../src/store/scripts.js';
import { home, journeyAt } from './bench-journeys.js';

export type BenchRedis = Redis & JourneyScripts;

const AT_ONCE = 1_000;

/** Journeys that are under way, each with a position, written as the service writes them. */
export async function startJourneys(redis: BenchRedis, rules: JourneyRules, count: number): Promise<void> {
  const store = new RedisJourneyStore({
    redis,
    rules,
    commandTimeoutMs: 60_000,
    observe: () => undefined,
    onHealed: () => undefined,
  });
  await inBatches(count, async (index) => {
    const { sessionId, trainerId, studentId } = journeyAt(index);
    const session = { sessionId, trainerId, studentId, status: 'scheduled', home };
    await store.start({ trainerId, studentId, session }, null);
  });
  await inBatches(count, async (index) => {
    const { sessionId, trainerId } = journeyAt(index);
    const place = { latitude: 12.97159, longitude: 77.5945627, accuracy: 5.5, speed: 8.25, heading: 271.5 };
    const position = { ...place, sequence: 1 };
    await store.recordPosition({ sessionId, trainerId, position, ageMs: 0, stretch: 1 });
  });
  // The events of the starts are long published where journeys have been under way for a while.
  await redis.del(OUTBOX_KEY);
}

/** A row for each session, those of the first so many journeys and as many spare ones after them as are wanted. */
export async function insertSessions(databaseUrl: string, count: number): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const journeys = Array.from({ length: count }, (_, index) => journeyAt(index));
    await client.query(
      `insert into tutoring_sessions (id, student_id, trainer_id, status, student_home_location)
      select id, student_id, trainer_id, 'scheduled', $4::jsonb
      from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as row (id, student_id, trainer_id)`,
      [
        journeys.map(({ sessionId }) => sessionId),
        journeys.map(({ studentId }) => studentId),
        journeys.map(({ trainerId }) => trainerId),
        JSON.stringify(home),
      ],
    );
  } finally {
    await client.end();
  }
}

async function inBatches(count: number, work: (index: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < count; from += AT_ONCE) {
    const size = Math.min(AT_ONCE, count - from);
    await Promise.all(Array.from({ length: size }, (_, index) => work(from + index)));
  }
}
