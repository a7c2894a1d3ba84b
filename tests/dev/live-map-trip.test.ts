import { Trip } from '../../src/dev/pages/live-map/browser/trip.js';
import type { MapSession } from '../../src/dev/pages/live-map/map-session.js';
import { onPlane } from '../../src/dev/simulation/plane.js';
import type { PhonePosition } from '../../src/client/index.js';

const home = { latitude: 12.978369, longitude: 77.640835 };
const session: MapSession = {
  id: '5e55a000-0000-4000-8000-000000000001',
  isFree: true,
  trainerName: 'You',
  place: 'a place',
  home,
  streets: { centre: home, streetAngle: 4 },
  trainerToken: '',
  studentToken: '',
};
/** More than any drive of this length takes. */
const LONG_MS = 30 * 60_000;

let told: PhonePosition[];
let trip: Trip;
beforeEach(() => {
  jest.useFakeTimers();
  told = [];
  trip = new Trip(session, (position) => told.push(position));
});
afterEach(() => {
  trip.end();
  jest.useRealTimers();
});

const metersFromHome = () => {
  const { east, north } = onPlane(home, trip.place);
  return Math.hypot(east, north);
};

test('a phone that does not drive says each second where it stands', () => {
  jest.advanceTimersByTime(3_000);
  expect(told.map(({ coords }) => coords.speed)).toEqual([0, 0, 0]);
});

test('a drive ends at the home, and there is nothing left to drive', () => {
  const before = metersFromHome();
  expect(before).toBeGreaterThan(300);
  trip.isDriving = true;
  jest.advanceTimersByTime(LONG_MS);
  expect(metersFromHome()).toBeLessThan(60);
  expect({ isThere: trip.isThere, isDriving: trip.isDriving, speed: trip.speed }).toEqual({
    ...{ isThere: true, isDriving: false, speed: 0 },
  });
});

test('the next journey begins away from the home again', () => {
  trip.isDriving = true;
  jest.advanceTimersByTime(LONG_MS);
  trip.beginAnew();
  expect(trip.isThere).toBe(false);
  expect(metersFromHome()).toBeGreaterThan(300);
});

test('a phone whose GPS is paused says nothing', () => {
  trip.isGpsOn = false;
  jest.advanceTimersByTime(3_000);
  expect(told).toEqual([]);
});
