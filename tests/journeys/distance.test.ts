import { distanceMeters, type Coordinates } from '../../src/journeys/distance.js';

const at = (latitude: number, longitude: number): Coordinates => ({ latitude, longitude });
/** IUGG mean radius; the distances below are of the sphere that has it. */
const RADIUS = 6_371_008.8;

function randomPoint(): Coordinates {
  return at(Math.random() * 180 - 90, Math.random() * 360 - 180);
}

// The distances on the ellipsoid, by Vincenty's formula; the sphere is within 0.6 % of them.
test.each([
  ['Bengaluru to Mysuru', at(12.9716, 77.5946), at(12.2958, 76.6394), 127_900],
  ['London to Paris', at(51.5074, -0.1278), at(48.8566, 2.3522), 343_900],
  ['Sydney to Los Angeles', at(-33.8688, 151.2093), at(34.0522, -118.2437), 12_052_000],
  ['Quito to Nairobi', at(-0.1807, -78.4678), at(-1.2921, 36.8219), 12_830_000],
])('%s is as far as the maps say', (_what, from, to, meters) => {
  expect(Math.abs(distanceMeters(from, to) - meters) / meters).toBeLessThan(0.006);
});

test('a degree of latitude is 111,195 m everywhere', () => {
  for (const latitude of [-90, -45.5, 0, 12.9, 89]) {
    expect(distanceMeters(at(latitude, 77), at(latitude + 1, 77))).toBeCloseTo((Math.PI * RADIUS) / 180, 3);
  }
});

test('a degree of longitude shrinks with the latitude', () => {
  expect(distanceMeters(at(0, 10), at(0, 11))).toBeCloseTo(111_195.08, 1);
  expect(distanceMeters(at(60, 10), at(60, 11)) / 111_195.08).toBeCloseTo(0.5, 3);
});

test('a metre is a metre', () => {
  expect(distanceMeters(at(12.9716, 77.5946), at(12.9716 + 1 / 111_195.0797, 77.5946))).toBeCloseTo(1, 6);
});

test('a place is no way from itself', () => {
  for (let n = 0; n < 1000; n++) {
    const point = randomPoint();
    expect(distanceMeters(point, { ...point })).toBe(0);
  }
});

test('antipodes are half the way round, exactly', () => {
  expect(distanceMeters(at(0, 0), at(0, 180))).toBeCloseTo(Math.PI * RADIUS, 3);
  expect(distanceMeters(at(90, 0), at(-90, 0))).toBeCloseTo(Math.PI * RADIUS, 3);
  for (let n = 0; n < 1000; n++) {
    const { latitude, longitude } = randomPoint();
    const opposite = at(-latitude, longitude > 0 ? longitude - 180 : longitude + 180);
    expect(distanceMeters(at(latitude, longitude), opposite)).toBeCloseTo(Math.PI * RADIUS, 0);
  }
});

test('at the poles every longitude is the same place', () => {
  for (const pole of [90, -90]) expect(distanceMeters(at(pole, -120), at(pole, 60))).toBeCloseTo(0, 6);
});

test('over the pole is the short way', () => {
  expect(distanceMeters(at(89.5, 0), at(89.5, 180))).toBeCloseTo(111_195.08, 1);
});

test('over the date line is the short way', () => {
  expect(distanceMeters(at(0, 179.9), at(0, -179.9))).toBeCloseTo(0.2 * 111_195.08, 1);
  expect(distanceMeters(at(10, 180), at(10, -180))).toBeCloseTo(0, 6);
});

test('there is as far as back', () => {
  for (let n = 0; n < 1000; n++) {
    const [a, b] = [randomPoint(), randomPoint()];
    expect(distanceMeters(a, b)).toBeCloseTo(distanceMeters(b, a), 6);
  }
});

test('it is always a number, from 0 to half the way round', () => {
  for (let n = 0; n < 10_000; n++) {
    const distance = distanceMeters(randomPoint(), randomPoint());
    expect(distance >= 0 && distance <= Math.PI * RADIUS + 1e-6).toBe(true);
  }
});

test('a way with a stop is never shorter', () => {
  for (let n = 0; n < 1000; n++) {
    const [a, b, c] = [randomPoint(), randomPoint(), randomPoint()];
    expect(distanceMeters(a, c)).toBeLessThanOrEqual(distanceMeters(a, b) + distanceMeters(b, c) + 1e-3);
  }
});
