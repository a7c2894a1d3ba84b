import { scriptedRedis } from '../support/a-moving-trainer.js';
import { driveJourney, type DrivenJourney } from '../support/driven-journey.js';
import { realTrip, simulatedTrip, tripKinds } from '../support/trips.js';

const redis = scriptedRedis();
const SEED = 11;
const OF_EACH_KIND = 3;

interface Foretold {
  low: number;
  high: number;
  leftSeconds: number;
}

function foretoldIn(journeys: DrivenJourney[]): Foretold[] {
  return journeys.flatMap(({ readings }) =>
    readings.flatMap(({ leftSeconds, view: { etaLowSeconds: low, etaHighSeconds: high } }) =>
      low === null || high === null ? [] : [{ low, high, leftSeconds }],
    ),
  );
}

function coverage(foretold: Foretold[]): number {
  return (
    foretold.filter(({ low, high, leftSeconds: left }) => low <= left && left <= high).length /
    foretold.length
  );
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
const requests = (journeys: DrivenJourney[]) =>
  journeys.reduce((sum, { updates, polls }) => sum + updates + polls, 0);

const trips = tripKinds.flatMap((kind) =>
  Array.from({ length: OF_EACH_KIND }, (_, index) => simulatedTrip(kind, SEED, index)),
);
let steered: DrivenJourney[];
let fixed: DrivenJourney[];
beforeAll(async () => {
  const drive = (phones: 'steered' | 'fixed') =>
    Promise.all(trips.map((trip, index) => driveJourney(redis, trip, phones, index)));
  steered = await drive('steered');
  fixed = await drive('fixed');
}, 120_000);

test('at least four in five simulated arrivals are within the interval', () => {
  expect(coverage(foretoldIn(steered))).toBeGreaterThanOrEqual(0.8);
  expect(coverage(foretoldIn(fixed))).toBeGreaterThanOrEqual(0.8);
});

test('the interval is narrower than the remaining time, and exists most of the time', () => {
  const foretold = foretoldIn(steered);
  expect(
    median(foretold.map(({ low, high, leftSeconds }) => (high - low) / Math.max(1, leftSeconds))),
  ).toBeLessThan(1);
  const readings = steered.reduce((sum, journey) => sum + journey.readings.length, 0);
  expect(foretold.length / readings).toBeGreaterThan(0.75);
});

test('phones that post when asked are refused only an old fix repeated in a tunnel', () => {
  expect(steered.flatMap(({ refused }) => refused).filter((kind) => kind !== 'stale')).toEqual([]);
});

test('the cadence saves a sixth of the requests, and students see no older positions', () => {
  expect(requests(steered)).toBeLessThan((5 / 6) * requests(fixed));
  const seenOff = (journeys: DrivenJourney[]) =>
    median(journeys.flatMap(({ seenOffMeters }) => seenOffMeters));
  expect(seenOff(steered)).toBeLessThanOrEqual(seenOff(fixed));
});

for (const name of ['munich-drive-1hz', 'city-drive-2s']) {
  const trip = realTrip(name);
  const testWhereRecorded = trip === undefined ? test.skip : test;
  const where = trip === undefined ? ' (skipped: the recording is not on this machine)' : '';
  testWhereRecorded(
    `of the real drive ${name} at least half of the intervals contain the arrival${where}`,
    async () => {
      if (trip === undefined) return;
      expect(coverage(foretoldIn([await driveJourney(redis, trip)]))).toBeGreaterThan(0.5);
    },
  );
}
