import type { Place } from './state.js';

/** The sphere of the contract's haversine distance, in metres. */
const EARTH_RADIUS_METERS = 6_371_008.8;

/**
 * Great-circle distance in metres by the angle between two vectors, with its half-angle formula: another way than the
 * service's haversine, so that a slip in one shows.
 */
export function metersBetween(from: Place, to: Place): number {
  const [a, b] = [unitVector(from), unitVector(to)];
  const apart = Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
  const together = Math.hypot(a[0] + b[0], a[1] + b[1], a[2] + b[2]);
  return 2 * EARTH_RADIUS_METERS * Math.atan2(apart, together);
}

export function metersNorthOf(place: Place, meters: number): Place {
  return {
    latitude: place.latitude + (meters / EARTH_RADIUS_METERS) * (180 / Math.PI),
    longitude: place.longitude,
  };
}

function unitVector({ latitude, longitude }: Place): [number, number, number] {
  const [phi, lambda] = [(latitude * Math.PI) / 180, (longitude * Math.PI) / 180];
  return [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)];
}
