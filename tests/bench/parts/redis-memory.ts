import type { Bench, RedisUnderTest } from '../bench.js';
import { home, journeyAt, productionRules } from '../bench-journeys.js';
import { startJourneys } from '../journeys.js';
import { Keys } from '../../../src/store/keys.js';
import { atMost } from '../report/bar.js';
import type { PartReport } from '../report/part-report.js';

const JOURNEYS = 10_000;
const LIMIT_BYTES = 1_200;

/** What a journey under way, with a position, takes of Redis. */
export async function measureRedisMemory(bench: Bench): Promise<PartReport> {
  bench.say(`Redis' memory, ${JOURNEYS} journeys`);
  const redis = await bench.startRedis(productionRules);
  const own = await bytesPerJourney(redis, () => startJourneys(redis.connection, productionRules, JOURNEYS));
  await redis.connection.flushall();
  const least = await bytesPerJourney(redis, () => writeContractsKeys(redis));
  await redis.stop();
  return {
    title: "Redis' memory, bytes a journey",
    rows: [
      { what: 'as the service writes it', bytes: own.toFixed(0) },
      { what: "the contract's own keys and fields, and nothing else", bytes: least.toFixed(0) },
    ],
    bars: [atMost("Redis' memory a journey", own, LIMIT_BYTES, ' bytes', 0)],
    notes: [
      `used_memory with ${JOURNEYS} journeys under way, each with a position of a moment ago, less the empty one's and the connection's buffers. The contract's keys are the four that such a journey has; journey:ended comes after it.`,
    ],
  };
}

async function bytesPerJourney(redis: RedisUnderTest, write: () => Promise<void>): Promise<number> {
  const before = await usedMemory(redis);
  await write();
  return ((await usedMemory(redis)) - before) / JOURNEYS;
}

/** Without the buffers of the connection that has just written all of it. */
async function usedMemory({ connection }: RedisUnderTest): Promise<number> {
  const info = await connection.info('memory');
  const of = (field: string) => Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  return of('used_memory') - of('mem_clients_normal');
}

async function writeContractsKeys({ connection }: RedisUnderTest): Promise<void> {
  const time = new Date().toISOString();
  const { journeyTtlSeconds, locationTtlSeconds, updateIntervalMs } = productionRules;
  const keys = new Keys();
  const write = async (index: number) => {
    const { sessionId, trainerId, studentId } = journeyAt(index);
    const active = { sessionId, trainerId, studentId, startedAt: time, status: 'in_progress' };
    const place = { latitude: 12.97159, longitude: 77.5945627, accuracy: 5.5, speed: 8.25, heading: 271.5 };
    const location = { ...place, timestamp: time, sessionId, trainerId };
    const meta = { trainerId, studentId, status: 'scheduled', studentHomeLocation: home };
    await Promise.all([
      connection.set(keys.active(sessionId), JSON.stringify(active), 'EX', journeyTtlSeconds),
      connection.set(keys.meta(sessionId), JSON.stringify(meta), 'EX', journeyTtlSeconds),
      connection.set(keys.location(trainerId, sessionId), JSON.stringify(location), 'EX', locationTtlSeconds),
      connection.set(keys.rate(trainerId), Date.now(), 'PX', updateIntervalMs),
    ]);
  };
  await Promise.all(Array.from({ length: JOURNEYS }, (_, index) => write(index)));
}
