/**
 * `node --import tsx tests/bench/arrival-estimates.ts [--seeds 2,3] [--trips 60]`: how often the arrival is within the
 * estimated interval, and how many requests the adaptive intervals save, over simulated drives and the recorded ones that
 * are on this machine, through the real scripts on a real Redis.
 */
import { Command } from 'commander';
import { Redis } from 'ioredis';
import { startLocalRedis } from '../../src/dev/servers/local-redis.js';
import { startReaper } from '../../src/dev/servers/reaper.js';
import { withScripts } from '../../src/store/scripts.js';
import { contractRules, driveJourney, type DrivenJourney, type Phones } from '../support/driven-journey.js';
import { realTrip, simulatedTrip, tripKinds, type Trip } from '../support/trips.js';
import { arrivalFigures, cadenceFigures, medianWidthAndCoverage } from './arrival-figures.js';

interface Options {
  seeds: number[];
  /** Of each kind. */
  trips: number;
}

const AT_ONCE = 32;
const recordings = ['munich-drive-1hz', 'city-drive-2s'];
type ScriptedRedis = ReturnType<typeof withScripts>;

async function benchArrivalEstimates({ seeds, trips }: Options): Promise<void> {
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
    console.log('\nThe estimated arrival, by kind of journey and by the time left:');
    console.table(arrivalFigures(new Map([...steered, ...recorded.steered])));
    console.log('The intervals, fixed (an update every 5 s, a poll every 4 s) and adaptive:');
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
      // Several times, since each drive depends on chance.
      drives[phones].set(name, await driveAll(redis, [trip, trip, trip, trip, trip], phones));
    }
  }
  return drives;
}

/** Some at a time: each sends one call after the other. */
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

await new Command('arrival-estimates')
  .option('--seeds <list>', 'of the simulated drives', (text) => text.split(',').map(Number), [2, 3])
  .option('--trips <n>', 'of each kind', Number, 60)
  .action(benchArrivalEstimates)
  .parseAsync();
