/**
 * `node --import tsx tests/bench/arrival-estimates.ts [--seeds 2,3] [--trips 60]`: how honest the foretold arrival is, and
 * what the steered cadence saves at what loss, over simulated drives and, where they are, recorded ones, through the real
 * scripts on a real Redis.
 */
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { startLocalRedis } from '../../src/dev/servers/local-redis.js';
import { startReaper } from '../../src/dev/servers/reaper.js';
import { withScripts } from '../../src/store/scripts.js';
import { contractRules, driveJourney, type DrivenJourney, type Phones } from '../support/driven-journey.js';
import { realTrip, simulatedTrip, tripKinds, type Trip } from '../support/trips.js';
import { arrivalFigures, cadenceFigures, medianWidthAndCoverage } from './arrival-figures.js';

export interface ArrivalBenchOptions {
  seeds: number[];
  /** Of each kind. */
  trips: number;
}

const AT_ONCE = 32;
const recordings = ['munich-drive-1hz', 'city-drive-2s'];
type ScriptedRedis = ReturnType<typeof withScripts>;

/** Prints its tables; starts a Redis of its own and ends it. */
export async function benchArrivalEstimates({ seeds, trips }: ArrivalBenchOptions): Promise<void> {
  const reaper = startReaper();
  const server = await startLocalRedis({ reaper, say: console.error });
  const redis = withScripts(new Redis(server.url, { enableAutoPipelining: true }), contractRules);
  try {
    const fixed = new Map<string, DrivenJourney[]>();
    const steered = new Map<string, DrivenJourney[]>();
    for (const seed of seeds) {
      const ofSeed: DrivenJourney[] = [];
      for (const kind of tripKinds) {
        const planned = Array.from({ length: trips }, (_, index) => simulatedTrip(kind, seed, index));
        const driven = await driveAll(redis, planned, 'steered');
        ofSeed.push(...driven);
        add(steered, kind, driven);
        add(fixed, kind, await driveAll(redis, planned, 'fixed'));
      }
      console.log(`seed ${seed}, ${ofSeed.length} simulated journeys: ${medianWidthAndCoverage(ofSeed)}`);
    }
    const recorded = await driveRecordings(redis);
    console.log('\nThe foretold arrival, by kind of journey and by how far off it was in fact:');
    console.table(arrivalFigures(new Map([...steered, ...recorded.steered])));
    console.log('The cadence, fixed (an update every 5 s, a poll every 4) and steered:');
    console.table(
      cadenceFigures(new Map([...fixed, ...recorded.fixed]), new Map([...steered, ...recorded.steered])),
    );
  } finally {
    redis.disconnect();
    await server.stop();
    reaper.close();
  }
}

async function driveRecordings(redis: ScriptedRedis): Promise<Record<Phones, Map<string, DrivenJourney[]>>> {
  const drives = { fixed: new Map<string, DrivenJourney[]>(), steered: new Map<string, DrivenJourney[]>() };
  for (const name of recordings) {
    const trip = realTrip(name);
    if (trip === undefined) {
      console.log(`${name}: the recording is not on this machine`);
      continue;
    }
    for (const phones of ['fixed', 'steered'] as const) {
      // From several beats, as one journey would be a matter of luck.
      drives[phones].set(name, await driveAll(redis, [trip, trip, trip, trip, trip], phones));
    }
  }
  return drives;
}

/** A share of them at a time, since each keeps Redis busy with one call after the other. */
async function driveAll(redis: ScriptedRedis, trips: Trip[], phones: Phones): Promise<DrivenJourney[]> {
  const driven: DrivenJourney[] = [];
  for (let first = 0; first < trips.length; first += AT_ONCE) {
    const some = trips.slice(first, first + AT_ONCE);
    driven.push(
      ...(await Promise.all(some.map((trip, index) => driveJourney(redis, trip, phones, first + index)))),
    );
  }
  return driven;
}

function add(map: Map<string, DrivenJourney[]>, kind: string, journeys: DrivenJourney[]): void {
  map.set(kind, [...(map.get(kind) ?? []), ...journeys]);
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: { seeds: { type: 'string', default: '2,3' }, trips: { type: 'string', default: '60' } },
  });
  await benchArrivalEstimates({ seeds: values.seeds.split(',').map(Number), trips: Number(values.trips) });
}
