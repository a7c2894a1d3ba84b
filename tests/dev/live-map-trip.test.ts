import { Trip } from '../../src/dev/pages/live-map/browser/trip.js';
import type { MapSession } from '../../src/dev/pages/live-map/map-session.js';
import { onPlane } from '../../src/dev/simulation/plane.js';
import type { PhonePosition } from '../../src/client/index.js';

const home = { latitude: 12.978369, longitude: 77.640835 };
const session: MapSession = {
  id: '5e55a000-0000-4000-8000-000000000001',
  trainerId: '',
  isFree: true,
  trainerName: 'Asha Rao',
  studentName: 'Aarav',
  subject: 'Tabla',
  place: 'a place',
  home,
  streets: { centre: home, streetAngle: 4 },
  trainerToken: '',
  studentToken: '',
};
const LONG_MS = 30 * 60_000;

let reported: PhonePosition[];
let trip: Trip;
beforeEach(() => {
  jest.useFakeTimers();
  reported = [];
  trip = new Trip(session, (position) => reported.push(position));
});
afterEach(() => {
  trip.end();
  jest.useRealTimers();
});

const metersFromHome = () => {
  const { east, north } = onPlane(home, trip.place);
  return Math.hypot(east, north);
};

test('a drive ends at the home, and the next journey begins away from it', () => {
  expect(metersFromHome()).toBeGreaterThan(300);
  trip.isDriving = true;
  jest.advanceTimersByTime(LONG_MS);
  expect(metersFromHome()).toBeLessThan(60);
  expect([trip.isThere, trip.isDriving, trip.speed]).toEqual([true, false, 0]);
  trip.beginAnew();
  expect(trip.isThere).toBe(false);
  expect(metersFromHome()).toBeGreaterThan(300);
});

test('a phone reports each second, and not while its GPS is paused', () => {
  jest.advanceTimersByTime(3_000);
  expect(reported.map(({ coords }) => coords.speed)).toEqual([0, 0, 0]);
  trip.isGpsOn = false;
  jest.advanceTimersByTime(3_000);
  expect(reported).toHaveLength(3);
});
