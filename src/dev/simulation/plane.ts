import type { GeoPoint } from './places.js';

/** Metres from an origin, on a plane that is exact to well under a metre over a few kilometres. */
export interface Plane {
  east: number;
  north: number;
}

const metersPerDegree = 111_195;

export function onEarth(origin: GeoPoint, point: Plane): GeoPoint {
  const latitude = origin.latitude + point.north / metersPerDegree;
  return { latitude, longitude: origin.longitude + point.east / metersPerLongitude(origin) };
}

export function onPlane(origin: GeoPoint, point: GeoPoint): Plane {
  return {
    east: (point.longitude - origin.longitude) * metersPerLongitude(origin),
    north: (point.latitude - origin.latitude) * metersPerDegree,
  };
}

const metersPerLongitude = (origin: GeoPoint) =>
  metersPerDegree * Math.cos((origin.latitude * Math.PI) / 180);
