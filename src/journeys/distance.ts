/** A point on the earth in degrees, WGS 84. */
export interface Coordinates {
  latitude: number;
  longitude: number;
}

// IUGG mean radius R1 of the earth; Moritz, "Geodetic Reference System 1980", Journal of Geodesy 74 (2000).
export const EARTH_RADIUS_METERS = 6_371_008.8;

/**
 * Great-circle distance in metres by the haversine formula: R. W. Sinnott, "Virtues of the Haversine",
 * Sky and Telescope 68(2), 1984, p. 159. Within 0.6 % of the distance on the ellipsoid.
 */
export function distanceMeters(from: Coordinates, to: Coordinates): number {
  const phi1 = radians(from.latitude);
  const phi2 = radians(to.latitude);
  const halfChord =
    Math.sin((phi2 - phi1) / 2) ** 2 +
    Math.cos(phi1) * Math.cos(phi2) * Math.sin(radians(to.longitude - from.longitude) / 2) ** 2;
  return 2 * EARTH_RADIUS_METERS * Math.asin(Math.min(1, Math.sqrt(halfChord)));
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
