/** A point on the earth, degrees WGS 84. */
export interface GeoPoint {
  latitude: number;
  longitude: number;
}

/** A quarter of Bengaluru; its streets run along `streetAngle` (degrees clockwise from north) and across. */
export interface Neighbourhood {
  name: string;
  /** The street along which the centre lies. */
  mainRoad: string;
  centre: GeoPoint;
  streetAngle: number;
}

const quarter = (
  name: string,
  mainRoad: string,
  latitude: number,
  longitude: number,
  streetAngle: number,
): Neighbourhood => ({ name, mainRoad, centre: { latitude, longitude }, streetAngle });

/** Where there is a sample session, its home is the centre, so that it lies on the quarter's streets. */
export const neighbourhoods: readonly Neighbourhood[] = [
  quarter('Indiranagar', '100 Feet Road', 12.978369, 77.640835, 4),
  quarter('Koramangala', '80 Feet Road', 12.935192, 77.62448, 24),
  quarter('Jayanagar', 'Elephant Rock Road', 12.925007, 77.593803, 2),
  quarter('HSR Layout', 'Agara Road', 12.911623, 77.638862, 32),
  quarter('Malleshwaram', 'Margosa Road', 13.0031, 77.5643, 10),
  quarter('Basavanagudi', 'Gandhi Bazaar Road', 12.9422, 77.5738, 8),
  quarter('Rajajinagar', 'Chord Road', 12.9916, 77.5545, 18),
  quarter('BTM Layout', 'Mico Layout Road', 12.9166, 77.6101, 6),
  quarter('Banashankari', 'Kathriguppe Road', 12.9255, 77.5468, 14),
  quarter('Frazer Town', 'Mosque Road', 12.9978, 77.6145, 28),
];
